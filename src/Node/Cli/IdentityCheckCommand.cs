using System.CommandLine;
using System.Text.Json;
using FedChain.Node.Identity;
using FedChain.Protocol.Identity;

namespace FedChain.Node.Cli;

internal static class IdentityCheckCommand
{
    public static Command Create()
    {
        var file = new Argument<FileInfo>("file") { Description = "What 'fedchain identity sign' wrote." };
        var document = new Option<FileInfo?>("--document") { Description = "The file that the statement is about, to hold it against the digest that was signed.", HelpName = "FILE" };
        var home = CommonOptions.Home(required: false);
        var rpc = CommonOptions.Rpc();
        var federation = CommonOptions.Federation();
        var json = CommonOptions.Json();
        var command = new Command("check", """
            Checks a signed statement against the chain alone: whose key signed it, then and now, and whether the model is that member's.
            Exit code 0 if it holds, 1 if it doesn't.

            Examples:
              fedchain identity check reviewed.json --rpc https://rpc.example
              fedchain identity check report.signed.json --document report.pdf --rpc https://rpc.example --json
            """)
        { file, document, home, rpc, federation, json };
        command.SetAction(async (result, cancellationToken) =>
        {
            var signed = await ReadAsync(result.GetRequiredValue(file), cancellationToken);
            var folder = IdentityCommand.OpenHome(result.GetValue(home));
            await using var session = await IdentityCommand.OpenAsync(folder, result.GetValue(rpc), result.GetValue(federation), signed.Did, cancellationToken);
            var history = await MemberResolver.HistoryAsync(session, signed.Statement.Member, cancellationToken);
            var check = StatementCheck.Of(signed, history, session.Reader.Now);
            if (result.GetValue(document) is { } about)
            {
                check = new StatementCheck([.. check.Findings, Document(signed.Statement.Text, await IdentitySignCommand.LineOfAsync(about, cancellationToken))]);
            }

            Write(signed, check, result.GetValue(json));
            return check.Holds ? ExitCodes.Done : ExitCodes.Failed;
        });
        return command;
    }

    private static async Task<SignedStatement> ReadAsync(FileInfo file, CancellationToken cancellationToken)
    {
        if (!file.Exists)
        {
            throw new UserErrorException($"The file {file.FullName} does not exist. Name what 'fedchain identity sign --output FILE' wrote.");
        }

        if (file.Length > SignedStatement.MaxSize + 1)
        {
            throw new UserErrorException($"{file.FullName} has {file.Length:N0} bytes; a signed statement has at most {SignedStatement.MaxSize:N0}.");
        }

        try
        {
            var bytes = await File.ReadAllBytesAsync(file.FullName, cancellationToken);
            return SignedStatement.Parse(bytes is [.., (byte)'\n'] ? bytes.AsSpan(..^1) : bytes); // printed and redirected
        }
        catch (InvalidDataException e)
        {
            throw new UserErrorException($"{file.FullName} is no signed statement: {e.Message}", e);
        }
    }

    /// <summary>The name may be another: a file is what its bytes are.</summary>
    private static StatementFinding Document(string text, string line)
    {
        const int Digits = 64;
        var same = text.Length > Digits && text[Digits] == ' ' && text[..Digits] == line[..Digits];
        return new StatementFinding("document", same, same ? $"has the digest that was signed, {line[..Digits]}" : $"has the digest {line[..Digits]}, but the statement says: {text}");
    }

    private static void Write(SignedStatement signed, StatementCheck check, bool json)
    {
        if (json)
        {
            Console.WriteLine(JsonSerializer.Serialize(
                new
                {
                    holds = check.Holds,
                    issuer = signed.Did.ToString(),
                    model = signed.Statement.Model.ToString(),
                    issuedAt = signed.Statement.IssuedAt,
                    text = signed.Statement.Text,
                    checks = check.Findings.Select(f => new { name = f.Name, holds = f.Holds, detail = f.Detail }),
                },
                JsonOutput.Options));
            return;
        }

        Console.WriteLine($"{signed.Did} says: {signed.Statement.Text}");
        foreach (var finding in check.Findings)
        {
            Console.WriteLine($"  {(finding.Holds ? "held  " : "FAILED")}  {finding.Name,-8}  {finding.Detail}");
        }
    }
}
