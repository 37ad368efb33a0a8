using Spectre.Console;

namespace FedChain.Node.Doctor;

/// <summary>An examination for people: a line for each check, below it what to do, then the sum.</summary>
internal static class DoctorText
{
    public static void Write(IAnsiConsole console, DoctorReport report)
    {
        foreach (var check in report.Checks)
        {
            var mark = check.Result switch
            {
                DoctorResult.Ok => "[green]ok         [/]",
                DoctorResult.Warning => "[yellow]warning    [/]",
                DoctorResult.Problem => "[red]PROBLEM    [/]",
                _ => "[grey]not checked[/]",
            };
            console.MarkupLine($"{mark} {Markup.Escape(check.Name),-14} {Markup.Escape(check.Detail)}");
            if (check.Advice is { } advice)
            {
                console.MarkupLine($"{"",-26} [bold]{Markup.Escape(advice)}[/]");
            }
        }

        console.MarkupLineInterpolated($"{report.Problems} {(report.Problems == 1 ? "problem" : "problems")}, {report.Warnings} {(report.Warnings == 1 ? "warning" : "warnings")}, {report.NotChecked} not checked");
    }
}
