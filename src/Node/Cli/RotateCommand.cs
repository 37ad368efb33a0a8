using System.CommandLine;

namespace FedChain.Node.Cli;

internal static class RotateCommand
{
    public static Command Create() => new("rotate", """
        Replaces a key of this home by a new one. The old one is kept: rounds and files go by the keys of their time.
        """)
    {
        RotateOperatorCommand.Create(),
        RotateAgeCommand.Create(),
    };
}
