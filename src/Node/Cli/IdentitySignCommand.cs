using System.CommandLine;
using System.Security.Cryptography;
using FedChain.Node.Chain;
using FedChain.Node.Homes;
using FedChain.Protocol.Ethereum.Signing;
using FedChain.Protocol.Identity;

namespace FedChain.Node.Cli;

internal static class IdentitySignCommand
{
    public static Command Create()
    {
        var home = CommonOptions.Home();
        var rpc = CommonOptions.Rpc();
        var passphrase = CommonOptions.PassphraseFile();
        var text = new Option<string?>("--text") { Description = "What to say.", HelpName = "TEXT" };
        var file = new Option<FileInfo?>("--file") { Description = "A file to sign: the statement is the line that sha256sum prints of it.", HelpName = "FILE" };
        var from = new Option<string>("--from") { Description = "Whose key signs: operator or holder of the home.", HelpName = "KEY", DefaultValueFactory = _ => "operator" };
        var output = new Option<FileInfo?>("--output") { Description = "Where to write the statement; printed if not given. An existing file is left alone.", HelpName = "FILE" };
        var command = new Command("sign", """
            Signs a statement in the name of this member's model (EIP-712), for others to check with nothing but the chain.

            Examples:
              fedchain identity sign --home /srv/fedchain --text "Our board has reviewed the adapter of round 7." --output reviewed.json
              fedchain identity sign --home /srv/fedchain --file report.pdf --output report.signed.json
            """)
        { home, rpc, passphrase, text, file, from, output };
        command.SetAction(async (result, cancellationToken) =>
        {
            var folder = HomeFolder.Open(result.GetRequiredValue(home).FullName);
            var said = await TextAsync(result.GetValue(text), result.GetValue(file), cancellationToken);
            if (result.GetValue(output) is { Exists: true } taken)
            {
                throw new UserErrorException($"{taken.FullName} exists. Name a new file; nothing is overwritten.");
            }

            var role = result.GetRequiredValue(from);
            if (role is not ("operator" or "holder"))
            {
                throw new UserErrorException($"--from takes operator or holder, the two keys that speak for a member; got '{role}'.");
            }

            await using var session = await ChainSession.OpenAsync(folder, result.GetValue(rpc), federation: null, TimeProvider.System, cancellationToken);
            var secret = Passphrase.Read(result.GetValue(passphrase)?.FullName, confirm: false);
            using var key = role == "holder" ? folder.UnlockHolder(secret) : folder.UnlockOperator(secret);
            var state = session.Reader.State;
            var seat = state.Seats.Values.FirstOrDefault(s => (role == "holder" ? s.Holder : s.Operator) == key.Address)
                ?? throw new UserErrorException($"The {role} {key.Address} of this home has no seat in the federation {session.Federation}, so it speaks for nobody.");
            var model = ModelIdentity.Of(session.ChainId, session.Federation, seat.Id, state.Profiles.GetValueOrDefault(seat.Id))
                ?? throw new UserErrorException($"The profile of member {seat.Id} on the chain can't be read, so the member has no model to speak for. Publish a new profile first.");
            var statement = new Statement(seat.Id, model.Id, session.Reader.Now, said);
            var signed = new SignedStatement(session.ChainId, session.Federation, statement, key.Sign(statement.Digest(session.ChainId, session.Federation)));
            if (result.GetValue(output) is not { } destination)
            {
                Console.WriteLine(signed);
                return;
            }

            AtomicFile.Write(destination.FullName, signed.ToBytes());
            Console.WriteLine($"{destination.FullName}: signed by the {role} {key.Address} of {signed.Did}. Anyone checks it with: fedchain identity check {destination.Name} --rpc URL");
        });
        return command;
    }

    /// <summary>The line that <c>sha256sum</c> prints of a file, by its bare name.</summary>
    internal static async Task<string> LineOfAsync(FileInfo file, CancellationToken cancellationToken)
    {
        if (!file.Exists)
        {
            throw new UserErrorException($"The file {file.FullName} does not exist.");
        }

        await using var stream = file.OpenRead();
        return $"{Convert.ToHexStringLower(await SHA256.HashDataAsync(stream, cancellationToken))}  {file.Name}";
    }

    private static async Task<string> TextAsync(string? text, FileInfo? file, CancellationToken cancellationToken)
    {
        var said = (text, file) switch
        {
            ({ } words, null) => words,
            (null, { } document) => await LineOfAsync(document, cancellationToken),
            _ => throw new UserErrorException("Say what to sign: --text TEXT or --file FILE, one of them."),
        };
        return said.Length <= SignedStatement.MaxText ? said
            : throw new UserErrorException($"A statement has at most {SignedStatement.MaxText} characters; this one has {said.Length}. Put it into a file and use --file: then its digest is signed.");
    }
}
