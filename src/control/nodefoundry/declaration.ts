/** NodeFoundry as the rest of the agent knows it. */
import { file, url, word } from "../../model/config-key.ts";
import { templateProblem } from "../../model/text/name-template.ts";
import { declareControlApi, enabledKey, intervalKey } from "../declaration.ts";
import { INTERVAL_ABSENT } from "../metered.ts";
import { proxyOf, SERVER_KEYS, serverProblems } from "../server-keys.ts";
import { nodefoundryApi } from "./api.ts";
import { keyKind, TOKENS } from "./key-kind.ts";

export const nodefoundry = declareControlApi({
  name: "nodefoundry",
  title: "NodeFoundry",
  config: {
    doc: "The NodeFoundry control API.",
    keys: {
      enabled: enabledKey("NodeFoundry"),
      url: {
        ...url(false, "", "https://api.nodefoundry.io", "Base URL of the server."),
        fallback: "https://api.nodefoundry.io",
        absent: null,
      },
      enrol_key_file: file(
        "/etc/foundry-agent/enrol.key",
        "Key that registers this node and does nothing else (nf_en_…).",
      ),
      key_file: file(
        "credential:nodefoundry-key",
        "Account or read-only key, used where the server has no agent API.",
      ),
      node_name: word((value) => value.length <= 253 && templateProblem(value) === null, {
        expected: "a name of at most 253 characters, in braces only {hostname} and {serial}",
        absent: "agent.name, else the hostname",
        example: "{hostname}",
        doc: "Name to register under; {hostname} and {serial} stand for this node's own.",
      }),
      interval_s: intervalKey(INTERVAL_ABSENT),
      ...SERVER_KEYS,
    },
    example: ['enrol_key_file = "/etc/foundry-agent/enrol.key"'],
  },
  check: serverProblems,
  tokens: TOKENS,
  policy: ["reboot", "drain", "undrain", "reweight", "collect", "diagnostics", "smart_test", "locate"],
  enroll: {
    key: "Account, enrolment or test key",
    // What is refused says so itself.
    caution: (key) =>
      keyKind(key) === "live"
        ? "This is an account key, which may do everything in the account. To enrol nodes, an enrolment key (nf_en_…) is enough and safer."
        : null,
  },
  leave: "forgets its token and id",
  open: (values, { agentName, profile }, context) =>
    nodefoundryApi(
      { ...values, nodeName: values.nodeName ?? agentName, proxy: proxyOf(values), profile },
      context,
    ),
});
