using Spectre.Console;

namespace FedChain.Node.Cli;

internal static class ConsoleWidth
{
    private const int LogWidth = 240;

    /// <summary>Lets long lines stand when the output goes to a file or a pipe, where nobody sees a screen's edge.</summary>
    public static IAnsiConsole ForLogs(this IAnsiConsole console)
    {
        if (!console.Profile.Out.IsTerminal)
        {
            console.Profile.Width = LogWidth;
        }

        return console;
    }
}
