import { defineConfig } from "hardhat/config";

// The node that DifferentialTests can run against: as anvil is for them.
export default defineConfig({
  networks: {
    node: {
      type: "edr-simulated",
      chainId: 31337,
      hardfork: "cancun",
      allowBlocksWithSameTimestamp: true,
      initialBaseFeePerGas: 1_000_000_000,
    },
  },
});
