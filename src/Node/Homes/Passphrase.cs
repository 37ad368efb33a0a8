using Spectre.Console;

namespace FedChain.Node.Homes;

/// <summary>Where the passphrase of the keys comes from: a file, the environment, or the keyboard; never the command line, which other users can read.</summary>
public static class Passphrase
{
    public const string Variable = "FEDCHAIN_PASSPHRASE";

    /// <summary>Whether one was given in a file or the environment, so that nobody need be asked.</summary>
    public static bool IsGiven(string? file) => file is not null || Environment.GetEnvironmentVariable(Variable) is not null;

    /// <param name="file">A file whose first line is the passphrase, or null.</param>
    /// <param name="confirm">Ask twice at the keyboard, for a passphrase that is being chosen.</param>
    public static string Read(string? file, bool confirm)
    {
        if (file is not null)
        {
            if (!File.Exists(file))
            {
                throw new UserErrorException($"The passphrase file {file} does not exist. Name an existing file whose first line is the passphrase.");
            }

            return NotEmpty(File.ReadLines(file).FirstOrDefault() ?? "", $"the first line of {file}");
        }

        if (Environment.GetEnvironmentVariable(Variable) is { } value)
        {
            return NotEmpty(value, $"the environment variable {Variable}");
        }

        if (Console.IsInputRedirected)
        {
            throw new UserErrorException($"A passphrase is needed and there is no keyboard to ask at. Use --passphrase-file FILE or set {Variable}.");
        }

        var passphrase = AnsiConsole.Prompt(new TextPrompt<string>("Passphrase:").Secret());
        if (confirm && passphrase != AnsiConsole.Prompt(new TextPrompt<string>("The same again:").Secret()))
        {
            throw new UserErrorException("The two passphrases differ. Nothing was written; try again.");
        }

        return NotEmpty(passphrase, "the answer");
    }

    private static string NotEmpty(string passphrase, string source) =>
        passphrase.Length > 0 ? passphrase : throw new UserErrorException($"The passphrase is empty ({source}). Give at least one character.");
}
