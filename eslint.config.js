import rxjs from "eslint-plugin-rxjs-x";
import { defineConfig, globalIgnores } from "eslint/config";
import tseslint from "typescript-eslint";

export default defineConfig(
  globalIgnores(["dist", "bench/dist", ".cache", "coverage", "src/redis/scripts/*"]),
  {
    files: ["**/*.ts"],
    extends: [tseslint.configs.strictTypeChecked, rxjs.configs.strict],
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      // fp-ts has no exports map: other forms pass tsc and vitest, and fail in plain Node
      "no-restricted-imports": ["error", { patterns: [{ regex: "^fp-ts/(?!lib/.+\\.js$)", message: 'Write "fp-ts/lib/X.js".' }] }],
      // `!` is used where an index was checked a line before, as noUncheckedIndexedAccess can't see
      "@typescript-eslint/no-non-null-assertion": "off",
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      "@typescript-eslint/no-confusing-void-expression": ["error", { ignoreArrowShorthand: true, ignoreVoidReturningFunctions: true }],
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_", varsIgnorePattern: "^_" }],
      // a decision or a cause may be any thrown value: what the user threw is passed on as it is
      "@typescript-eslint/only-throw-error": "off",
      "@typescript-eslint/prefer-promise-reject-errors": "off",
      "rxjs-x/throw-error": "off",
    },
  },
  {
    // an error that nobody handles fails a test, which is what it is to do
    files: ["test/**/*.ts"],
    rules: {
      "rxjs-x/no-ignored-error": "off",
      "rxjs-x/no-ignored-default-value": "off",
      "@typescript-eslint/no-unsafe-class-instance-assignment": "off",
    },
  },
  {
    // a variant measures; an error that nobody handles ends its process, and fails the run
    files: ["bench/variants/**/*.ts"],
    rules: { "rxjs-x/no-ignored-error": "off", "rxjs-x/no-ignored-subscribe": "off", "rxjs-x/no-ignored-default-value": "off" },
  },
  {
    // the types of these peers are there only after `npm run bench` has installed them
    files: ["bench/variants/*/node-redis.ts", "bench/variants/*/bullmq.ts"],
    extends: [tseslint.configs.disableTypeChecked],
    rules: Object.fromEntries(Object.keys(rxjs.rules).map((name) => [`rxjs-x/${name}`, "off"])),
  },
);
