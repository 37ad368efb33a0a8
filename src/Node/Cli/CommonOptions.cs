using System.CommandLine;
using FedChain.Protocol;

namespace FedChain.Node.Cli;

/// <summary>Options that several commands share, so that they read alike everywhere.</summary>
internal static class CommonOptions
{
    public static Option<DirectoryInfo> Home(bool required = true) => new("--home")
    {
        Description = "The institution's home folder: settings, keys, content.",
        HelpName = "DIR",
        Required = required,
    };

    public static Option<string[]> Rpc() => new("--rpc")
    {
        Description = "JSON-RPC URL of a node of the chain; the home's setting if not given. Give it again for each node that may stand in, and for a ws or wss URL that tells of new blocks.",
        HelpName = "URL",
    };

    public static Option<Address?> Federation() =>
        AddressOf("--federation", "Address of the federation's Membership contract; the home's setting if not given.");

    public static Option<Address?> AddressOf(string name, string description) => new(name)
    {
        Description = description,
        HelpName = "ADDRESS",
        CustomParser = result =>
        {
            if (result.Tokens.Count == 1 && Address.TryParse(result.Tokens[0].Value, out var address))
            {
                return address;
            }

            result.AddError($"{name} takes an address, 0x and 40 hex digits; got '{string.Join(' ', result.Tokens)}'.");
            return null;
        },
    };

    public static Option<FileInfo?> PassphraseFile() => new("--passphrase-file")
    {
        Description = $"A file whose first line is the keys' passphrase; else the variable {Homes.Passphrase.Variable}, else the keyboard.",
        HelpName = "FILE",
    };

    public static Option<bool> Json() => new("--json") { Description = "Print JSON for programs instead of text." };
}
