/**
 * Tells when the configuration may have changed. Editors write a new file and rename it over the old one,
 * package managers put files into a folder that was not there before; so it is the folder and the name
 * that count, not the file that was open. A hint only: whoever is told reads everything again.
 */

import { statSync } from "node:fs";
import type { FSWatcher, watch as WatchPaths } from "chokidar";

export interface ConfigWatch {
  /** Ends watching; no call of onChange after it. */
  close(): void;
}

export interface ConfigWatchOptions {
  /** Quiet time before onChange, milliseconds: a save is several events. */
  readonly settleMs?: number;
  /** Also what leaves the content as it is: an owner, a mode, a folder above that was exchanged. */
  readonly touches?: boolean;
  /** Told once when watching does not work (no more inotify watches); SIGHUP is what is left then. */
  readonly onError?: (error: unknown) => void;
  /** Told once when changes are seen from now on. */
  readonly onReady?: () => void;
}

/**
 * Watch files and folders (their own entries, not what is deeper), there or not yet.
 * @param paths `LoadedConfig.watch`
 */
export function watchConfig(
  paths: readonly string[],
  onChange: () => void,
  options: ConfigWatchOptions = {},
): ConfigWatch {
  let timer: NodeJS.Timeout | undefined;
  let closed = false;
  let failed = false;
  const changed = (): void => {
    if (closed) return;
    clearTimeout(timer);
    timer = setTimeout(onChange, options.settleMs ?? 250);
    timer.unref();
  };
  const fail = (error: unknown): void => {
    if (failed || closed) return;
    failed = true;
    options.onError?.(error);
  };
  // Loaded when first needed: a tenth of a start's time that nobody has to wait for.
  const started = import("chokidar").then(({ watch }) => {
    if (!closed) return begin(watch);
  });
  started.catch(fail);

  function begin(watch: typeof WatchPaths): FSWatcher {
    const watcher = watch([...paths], {
      ignoreInitial: true,
      // Not `depth`: that counts from the folder that is there, so a missing one would never be entered.
      ignored: (path) => paths.some((root) => isDeeper(path, root)),
      persistent: false,
      atomic: true,
    });
    watcher.on(options.touches === true ? "raw" : "all", changed);
    watcher.on("error", fail);
    watcher.once("ready", () => options.onReady?.());
    return watcher;
  }

  return {
    close() {
      closed = true;
      clearTimeout(timer);
      started.then((watcher) => watcher?.close()).catch(() => undefined); // `fail` was told, or it is over
    },
  };
}

/** Whether a path lies below an entry of the folder `root`. */
function isDeeper(path: string, root: string): boolean {
  return path.startsWith(`${root}/`) && path.indexOf("/", root.length + 1) !== -1;
}

/** When each was changed last, to be compared: never with our clock, which may be wrong. */
export function changeTimes(paths: readonly string[]): string {
  return paths.map((path) => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0).join();
}
