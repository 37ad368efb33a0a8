using System.CommandLine;
using FedChain.Node.Retention;

namespace FedChain.Node.Cli;

internal static class StoreCommand
{
    public static Command Create() => new("store", "Lists what a home holds of the federation's content, checks it, and gives up what is needed no more.")
    {
        StoreListCommand.Create(),
        StoreVerifyCommand.Create(),
        StoreCollectCommand.Create(),
    };

    public static Option<int> KeepRounds() => new Option<int>("--keep-rounds")
    {
        Description = "For how many rounds updates are kept. Manifests and final global adapters are kept for ever.",
        HelpName = "NUMBER",
        DefaultValueFactory = _ => Inventory.UsualRounds,
    }.Within(Inventory.FewestRounds);

    public static string InWords(ContentKind kind) => kind switch
    {
        ContentKind.UpdateManifest => "manifest of an update",
        ContentKind.Update => "sealed update",
        ContentKind.GlobalManifest => "manifest of a global adapter",
        ContentKind.Adapter => "sealed global adapter",
        ContentKind.Velocity => "sealed velocity",
        _ => throw new ArgumentOutOfRangeException(nameof(kind)),
    };
}
