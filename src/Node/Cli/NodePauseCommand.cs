using System.CommandLine;
using FedChain.Node.Homes;
using FedChain.Node.Peer;

namespace FedChain.Node.Cli;

/// <summary>Both leave a word in the home, which the running peer reads at its next look at the chain; one that doesn't run reads it when it starts.</summary>
internal static class NodePauseCommand
{
    public static Command CreatePause()
    {
        var home = CommonOptions.Home();
        var reason = new Option<string?>("--reason") { Description = "Why, for whoever reads the log or asks for the peer's health.", HelpName = "TEXT" };
        var command = new Command("pause", """
            Pauses this home's peer, running or not: it opens no round, trains for none and submits nothing, until 'fedchain node resume'. A training that
            is under way is given up. What it submitted before it sees through: it serves its content, signs holdings, aggregates when it is its turn, and
            checks and attests the aggregates. The others wait for it until each training phase ends by time; for a long absence, leave the federation.

            Example:
              fedchain node pause --home /srv/fedchain --reason "the GPU is needed until Friday"
            """)
        { home, reason };
        command.SetAction(result =>
        {
            var folder = HomeFolder.Open(result.GetRequiredValue(home).FullName);
            if (Pause.Read(folder) is { } already)
            {
                throw new UserErrorException($"The peer of {folder.Path} has been paused since {already.Since:u}{(already.Reason is null ? "" : $" ({already.Reason})")}. 'fedchain node resume' lets it go on.");
            }

            new Pause(TimeProvider.System.GetUtcNow(), result.GetValue(reason)).Write(folder);
            Console.WriteLine("Paused. It submits to no round until 'fedchain node resume', and sees through what it has submitted.");
        });
        return command;
    }

    public static Command CreateResume()
    {
        var home = CommonOptions.Home();
        var command = new Command("resume", """
            Lets a paused peer go on, from the round that is training now if there is time left in it.

            Example:
              fedchain node resume --home /srv/fedchain
            """)
        { home };
        command.SetAction(result =>
        {
            var folder = HomeFolder.Open(result.GetRequiredValue(home).FullName);
            Console.WriteLine(Pause.Remove(folder) ? "Resumed." : "It was not paused.");
        });
        return command;
    }
}
