import { describeProvider } from "./describe-provider.ts";
import { ExampleProvider } from "./example-plugin.ts";
import { silentLogger } from "./recording-logger.ts";

describeProvider(
  "the example of the guide",
  (root) => new ExampleProvider({ root, logger: silentLogger }),
  {
    image: "none",
  },
);
