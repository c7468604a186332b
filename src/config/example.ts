/** The example config, the only file that may name these recipients. */
export const EXAMPLE_FILE = "holdfast.example.yaml";

/** Real recipients, so that the example loads. No one kept their private keys. */
export const EXAMPLE_RECIPIENTS: readonly string[] = [
  "age1vzme3kfkclam6q4tr8jccsmuy07llgnar3frgpm60gzwnqaxps8scje7sq",
  "age1p80kvga3jv03vrlu9pa4g7xg0dlqa9ehlfrmgyx3qqvtlgdxycssz6kzst",
  "age1sd5r4dn6x9d5rw5nasdze6qqfwnuxfd36w5htljxg0td0g6r6pmsrsne4j",
];
