using FedChain.Learning.Training;
using FedChain.Network.Chain;
using FedChain.Network.Content;
using FedChain.Node.Chain;
using FedChain.Node.Homes;
using FedChain.Protocol.Envelope;

namespace FedChain.Node.Cli;

/// <summary>What a failure means to the person at the keyboard. Null for a fault of the program's own, which keeps its stack trace.</summary>
internal static class Explanation
{
    public static string? Of(Exception e) => e switch
    {
        ChainException { Refusal: { } refusal } => RefusalText.Of(refusal),
        not (UserErrorException or UnauthorizedAccessException) when DiskFault.Of(e) is { } fault => fault,
        UserErrorException or LocalChain.LocalChainException or ChainException or CorruptBlockException or KuboException or AgeException or TrainingDivergedException => e.Message,
        InvalidDataException or FileNotFoundException or DirectoryNotFoundException or DllNotFoundException or UnauthorizedAccessException => e.Message,
        IOException => $"{e.Message} Check the disk and the file's permissions, then run the command again.",
        ArgumentException { ParamName: var name } => e.Message.Replace($" (Parameter '{name}')", "", StringComparison.Ordinal), // a value that the engine or the protocol has no use for
        HttpRequestException => $"{e.Message} Check the address and the network.",
        AggregateException { InnerExceptions.Count: 1 } => Of(e.InnerException!),
        _ => null,
    };
}
