using System.CommandLine;
using FedChain.Node.Demo;
using FedChain.Node.LocalChain;

namespace FedChain.Node.Cli;

internal static class ChainCommand
{
    public static Command Create()
    {
        var home = new Option<DirectoryInfo>("--home") { Description = "The folder that a demonstration left.", HelpName = "DIR", Required = true };
        var port = new Option<int>("--port") { Description = "The port on 127.0.0.1.", DefaultValueFactory = _ => DemoHome.DefaultPort };
        var command = new Command("chain", """
            Starts a demonstration's local chain again, where it stopped, and runs it until interrupted.

            Example:
              fedchain chain --home fedchain-demo
            """)
        { home, port };
        command.SetAction(async (result, cancellationToken) =>
        {
            var folder = new DemoHome(result.GetRequiredValue(home).FullName);
            if (!Directory.Exists(folder.Path) || !File.Exists(folder.ChainState))
            {
                throw new UserErrorException($"{folder.Path} holds no chain. Name the folder that 'fedchain demo' reported.");
            }

            var root = RepositoryRoot.Find();
            await NpmPackages.EnsureAsync(root, cancellationToken: cancellationToken);
            await using var chain = await AnvilChain.StartAsync(
                new AnvilOptions { RepositoryRoot = root, StateFile = folder.ChainState, Port = result.GetValue(port) }, cancellationToken);
            Console.WriteLine($"The chain runs at {chain.RpcUrl}; Ctrl-C stops it and keeps its state.");
            var exited = chain.Exited;
            var ended = await Task.WhenAny(exited, Task.Delay(Timeout.Infinite, cancellationToken));
            return ended == exited ? throw new UserErrorException("The chain stopped by itself. Is the port in use, or the state file damaged?") : ExitCodes.Done;
        });
        return command;
    }
}
