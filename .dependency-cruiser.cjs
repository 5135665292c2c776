/** Who may import whom, each rule with its reason. `npm run lint` enforces it. */
const only = (folder, may, comment) => ({
  name: `${folder}-imports`,
  comment,
  severity: "error",
  from: { path: `^src/${folder}/` },
  to: { path: "^src/", pathNot: [`^src/${folder}/`, "^src/errors\\.ts$", ...may.map((each) => `^src/${each}`)] },
});

module.exports = {
  forbidden: [
    {
      name: "no-cycles",
      comment: "a cycle has no beginning to read from",
      severity: "error",
      from: { path: "^src" },
      to: { circular: true, dependencyTypesNot: ["type-only"] },
    },
    only("model", [], "pure values and total functions: testable without a server, a clock or a stream"),
    only("redis", ["model/"], "knows the wire and nothing of pipelines"),
    only(
      "flow",
      ["model/", "redis/(port|classify-error)\\.ts$"],
      "what keeps a pipeline alive, over the port: virtual time can stand in for a server",
    ),
    only(
      "sources",
      ["flow/", "model/", "redis/(port|client|classify-error|ioredis-adapter)\\.ts$"],
      "sources, operators and sinks meet only in the user's pipe",
    ),
    only(
      "operators",
      ["flow/", "model/", "redis/(port|client|ioredis-adapter)\\.ts$"],
      "sources, operators and sinks meet only in the user's pipe",
    ),
    only(
      "sinks",
      ["flow/", "model/", "operators/", "redis/(port|client|ioredis-adapter)\\.ts$"],
      "a sink may reuse an operator, nothing else of its kind",
    ),
    only(
      "admin",
      ["flow/retry-transient\\.ts$", "model/", "redis/(port|client|classify-error|ioredis-adapter)\\.ts$"],
      "asks and changes over the port, outside of any pipeline",
    ),
    {
      name: "pure-model",
      comment: "the model has no rxjs, no ioredis and no clock",
      severity: "error",
      from: { path: "^src/(model/|errors)" },
      to: { path: "^(node:|fs$|timers$)|node_modules/(rxjs|ioredis)" },
    },
    {
      name: "ioredis-at-the-edge",
      comment: "clients are taken by structure: the package never imports ioredis, so 5, 6 and copies of either work",
      severity: "error",
      from: { path: "^src" },
      to: { path: "node_modules/ioredis" },
    },
    {
      name: "rxjs-root-only",
      comment: "rxjs/operators is deprecated and rxjs/internal is private",
      severity: "error",
      from: { path: "^(src|examples)" },
      to: { path: "node_modules/rxjs/(operators|internal|dist/[^/]+/(operators|internal)/)", dependencyTypesNot: ["type-only"] },
    },
    {
      name: "examples-use-the-package",
      comment: "an example shows what a user writes",
      severity: "error",
      from: { path: "^examples" },
      to: { path: "^src/(?!index\\.ts$)" },
    },
    {
      name: "bench-measures-the-package",
      comment: "what is measured is what a user installs, imported by its name",
      severity: "error",
      from: { path: "^bench" },
      to: { path: "^src/(?!index\\.ts$)" },
    },
    {
      name: "variants-stand-alone",
      comment: "a variant runs in plain Node, and is to be read without the harness",
      severity: "error",
      from: { path: "^bench/variants/" },
      to: { path: "^(bench/(?!variants/)|test/)", pathNot: "node_modules" },
    },
    {
      name: "no-orphans",
      comment: "a file that nobody imports is dead",
      severity: "error",
      from: { orphan: true, path: "^src", pathNot: "generate\\.mjs$" },
      to: {},
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    exclude: { path: "^bench/dist/" },
    tsConfig: { fileName: "tsconfig.json" },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["import", "types", "default"] },
  },
};
