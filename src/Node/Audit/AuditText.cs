using Spectre.Console;

namespace FedChain.Node.Audit;

/// <summary>An audit for people: a line for each check, then the sum.</summary>
internal static class AuditText
{
    public static void Write(IAnsiConsole console, AuditReport audit)
    {
        console.MarkupLineInterpolated($"Chain {audit.ChainId}, federation {audit.Federation}, up to block {audit.HeadBlock} ({audit.HeadHash})");
        console.MarkupLineInterpolated($"{(audit.Key is { } key ? $"Sealed files are opened with the key of {key}" : "Sealed files stay sealed: only what is public is checked")}");
        if (audit.FromRound > 1)
        {
            console.MarkupLineInterpolated($"[yellow]Rounds before {audit.FromRound} were followed, not checked (--from-round)[/]");
        }

        ulong? round = null;
        foreach (var check in audit.Checks)
        {
            if (check.Round != round)
            {
                round = check.Round;
                console.MarkupLineInterpolated($"[bold]{(round == 0 ? "Federation" : $"Round {round}")}[/]");
            }

            var mark = check.Result switch
            {
                CheckResult.Held => "[green]held       [/]",
                CheckResult.Failed => "[red]FAILED     [/]",
                _ => "[yellow]unavailable[/]",
            };
            console.MarkupLine($"  {mark} {Markup.Escape(check.Name),-17} {Markup.Escape(check.Detail)}");
        }

        console.MarkupLineInterpolated($"{audit.Held} held, {audit.Failed} failed, {audit.Unavailable} unavailable");
    }
}
