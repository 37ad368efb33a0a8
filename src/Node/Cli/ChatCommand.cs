using System.CommandLine;
using System.Runtime.InteropServices;
using FedChain.Learning.Chat;
using FedChain.Node.Homes;
using FedChain.Node.Models;

namespace FedChain.Node.Cli;

internal static class ChatCommand
{
    public static Command Create()
    {
        var home = CommonOptions.Home();
        var rpc = CommonOptions.Rpc();
        var adapter = EvaluateCommand.AdapterOption();
        var system = new Option<string?>("--system") { Description = "What the model is told before the conversation, where its template has a place for it.", HelpName = "TEXT" };
        var passphrase = CommonOptions.PassphraseFile();
        var command = new Command("chat", """
            A conversation with a base model that has a chat template, and an adapter. Line by line from the keyboard, or from standard input: then a line is
            a turn. /new begins anew, /exit ends; Ctrl-C stops an answer, and between answers ends.

            Examples:
              fedchain chat --home /srv/fedchain --adapter none --system "Answer briefly." --temperature 0.7
              fedchain chat --home /srv/fedchain < questions.txt
            """)
        { home, rpc, adapter, system, passphrase };
        var (sampling, placement) = (new SamplingOptions(command, tokens: 512), new PlacementOptions(command));
        command.SetAction(async (result, cancellationToken) =>
        {
            var folder = HomeFolder.Open(result.GetRequiredValue(home).FullName);
            var options = sampling.Read(result);
            var format = ChatFormat.Load(BaseModel.Open(folder.Settings.Model ?? BaseModel.Own).Path, TimeProvider.System);
            ChatMessage[] first = result.GetValue(system) is { } text ? [new("system", text)] : [];
            _ = format.Encode([.. first, new("user", "?")]); // refused now rather than once the weights are loaded
            using var model = await LoadedModel.OpenAsync(folder, result.GetValue(rpc), result.GetValue(adapter), placement.Read(result, folder.Settings),
                () => Passphrase.Read(result.GetValue(passphrase)?.FullName, confirm: false), cancellationToken);
            using var session = new ChatSession(model.Model, format, options, first);
            await Console.Error.WriteLineAsync($"Using {model.Name}.");
            await TalkAsync(session, Console.IsInputRedirected ? "" : "> ");
            return ExitCodes.Done;
        });
        return command;
    }

    private static async Task TalkAsync(ChatSession session, string prompt)
    {
        using var quit = new CancellationTokenSource();
        var answering = new Lock();
        CancellationTokenSource? turn = null;
        using var onInterrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, context =>
        {
            context.Cancel = true;
            lock (answering)
            {
                (turn ?? quit).Cancel();
            }
        });
        using var onTerminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, context =>
        {
            context.Cancel = true;
            quit.Cancel();
        });
        while (await ReadAsync(prompt, quit.Token) is { } line && line != "/exit")
        {
            if (line == "/new")
            {
                session.Begin();
            }
            else if (line.Length > 0)
            {
                using var stop = CancellationTokenSource.CreateLinkedTokenSource(quit.Token);
                SetTurn(stop);
                try
                {
                    session.Answer(line, Console.Out, stop.Token);
                    Console.WriteLine();
                }
                catch (OperationCanceledException)
                {
                    Console.WriteLine(" …");
                }
                catch (UserErrorException e)
                {
                    await Console.Error.WriteLineAsync(e.Message);
                }
                finally
                {
                    SetTurn(null);
                }
            }
        }

        void SetTurn(CancellationTokenSource? source)
        {
            lock (answering)
            {
                turn = source;
            }
        }
    }

    /// <returns>The next line; null at the end, or if asked to quit.</returns>
    private static async Task<string?> ReadAsync(string prompt, CancellationToken quit)
    {
        Console.Write(prompt);
        try
        {
            return (await Task.Run(Console.In.ReadLine, CancellationToken.None).WaitAsync(quit))?.Trim();
        }
        catch (OperationCanceledException)
        {
            Console.WriteLine();
            return null;
        }
    }
}
