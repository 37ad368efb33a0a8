namespace FedChain.Node;

/// <summary>Exit codes of the commands. 2 is misuse of the command line, as System.CommandLine and most Unix programs have it.</summary>
public static class ExitCodes
{
    public const int Done = 0;
    public const int Failed = 1;
    public const int Misuse = 2;

    /// <summary>Nothing that could be checked failed, but something could not be checked.</summary>
    public const int Unavailable = 3;
}
