/** A process that was killed does nothing more: what it had in its hands stops working for it. */

export interface Life {
  dead: boolean;
}

/** The same object for as long as this life lasts; afterwards every call of it throws. */
export function mortal<T extends object>(target: T, life: Life): T {
  return new Proxy(target, {
    get(from, key) {
      const value: unknown = Reflect.get(from, key, from);
      if (typeof value === "function")
        return (...args: unknown[]): unknown => {
          if (life.dead) throw new Error("this process was killed");
          const result: unknown = value.apply(from, args);
          // It may have been killed by what it did, before it heard of it.
          if (life.dead) throw new Error("this process was killed");
          return result;
        };
      return isPlain(value) ? mortal(value, life) : value;
    },
  });
}

function isPlain(value: unknown): value is object {
  return value !== null && typeof value === "object" && Object.getPrototypeOf(value) === Object.prototype;
}
