using System.CommandLine;

namespace FedChain.Node.Cli;

internal static class AdapterCommand
{
    public static Command Create() => new("adapter", "Lists the adapters, chooses the one to use, makes one of one's own, takes one in, and hands one to other programs.")
    {
        AdapterListCommand.Create(),
        AdapterKeepCommand.Create(),
        AdapterPersonaliseCommand.Create(),
        AdapterImportCommand.Create(),
        AdapterExportCommand.Create(),
        AdapterMergeCommand.Create(),
    };
}
