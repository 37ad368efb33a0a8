using System.CommandLine;

namespace FedChain.Node.Cli;

internal static class AdapterCommand
{
    public static Command Create() => new("adapter", "Lists the global adapters, chooses the one to use, and hands one to other programs.")
    {
        AdapterListCommand.Create(),
        AdapterKeepCommand.Create(),
        AdapterExportCommand.Create(),
    };
}
