// Styles use only what every browser had by the end of 2020: Chrome 90, Firefox 88, Safari 14 and Edge 90 have it.
import css from "@eslint/css";

// Each exists in Safari 14 (Baseline counts it from its last detail on), or its absence leaves a sound page.
const properties = [
  "accent-color", // without it, the system's colour
  "appearance", // beside -webkit-appearance
  "clip",
  "color-scheme",
  "forced-color-adjust", // only where colours are forced
  "outline", // Safari 16.4 rounds it
  "resize",
];
// A browser without it drops the rule, so it may only refine another one.
const selectors = ["focus-visible"];

export default [
  {
    files: ["**/*.css"],
    language: "css/css",
    plugins: { css },
    rules: {
      "css/no-duplicate-imports": "error",
      "css/no-empty-blocks": "error",
      "css/no-invalid-at-rules": "error",
      "css/no-invalid-properties": ["error", { allowUnknownVariables: true }],
      "css/use-baseline": [
        "error",
        { available: 2020, allowProperties: properties, allowSelectors: selectors },
      ],
    },
  },
];
