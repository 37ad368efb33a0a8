using FedChain.Node.Cli;

return await CommandLine.RunAsync(args);
