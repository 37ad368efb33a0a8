using System.CommandLine;

namespace FedChain.Node.Cli;

internal static class AdapterCommand
{
    public static Command Create() => new("adapter", "Lists the adapters, chooses the one to use, takes one in, and hands one to other programs.")
    {
        AdapterListCommand.Create(),
        AdapterKeepCommand.Create(),
        AdapterImportCommand.Create(),
        AdapterExportCommand.Create(),
        AdapterMergeCommand.Create(),
    };
}
