using System.CommandLine;

namespace FedChain.Node.Cli;

/// <summary>The <c>fedchain</c> program: its commands, and how failures are shown.</summary>
public static class CommandLine
{
    /// <summary>SIGXFSZ: it would end the program where a limit on the size of files can be told as a failed write.</summary>
    private const System.Runtime.InteropServices.PosixSignal FileTooLarge = (System.Runtime.InteropServices.PosixSignal)25;

    public static async Task<int> RunAsync(string[] args)
    {
        var parsed = Root().Parse(args);
        if (parsed.Errors.Count > 0)
        {
            foreach (var error in parsed.Errors)
            {
                await Console.Error.WriteLineAsync(error.Message);
            }

            await Console.Error.WriteLineAsync($"See 'fedchain {PathOf(parsed)}--help'.");
            return ExitCodes.Misuse;
        }

        using var stop = new CancellationTokenSource();
        using var onInterrupt = Interrupt(System.Runtime.InteropServices.PosixSignal.SIGINT);
        using var onTerminate = Interrupt(System.Runtime.InteropServices.PosixSignal.SIGTERM);
        using var onTooLarge = OperatingSystem.IsLinux() ? Ignore(FileTooLarge) : null;
        try
        {
            return await parsed.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null }, stop.Token);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            await Console.Error.WriteLineAsync("Stopped.");
            return ExitCodes.Failed;
        }
        catch (Exception e) when (Explanation.Of(e) is { } explanation)
        {
            await Console.Error.WriteLineAsync(explanation);
            return ExitCodes.Failed;
        }

        static System.Runtime.InteropServices.PosixSignalRegistration Ignore(System.Runtime.InteropServices.PosixSignal signal) =>
            System.Runtime.InteropServices.PosixSignalRegistration.Create(signal, context => context.Cancel = true);

        System.Runtime.InteropServices.PosixSignalRegistration Interrupt(System.Runtime.InteropServices.PosixSignal signal) =>
            System.Runtime.InteropServices.PosixSignalRegistration.Create(signal, context =>
            {
                context.Cancel = true; // the commands stop by themselves, tidily
                stop.Cancel();
            });
    }

    private static RootCommand Root() => new("""
        FedChain: hospitals fine-tune one language model together. No records leave a hospital, no server runs, and anyone can check the history.

        A federation's life: init (each member) -> deploy (one of them) -> activate (each) -> node (each, running).
        Later: init -> apply (who wants to join); propose -> vote -> queue -> execute (the members).
        Something wrong, or about to start? fedchain doctor
        See it all on one machine: fedchain demo
        """)
    {
        DemoCommand.Create(),
        InitCommand.Create(),
        DeployCommand.Create(),
        ActivateCommand.Create(),
        ApplyCommand.Create(),
        NodeCommand.Create(),
        DoctorCommand.Create(),
        StatusCommand.Create(),
        StudyCommand.Create(),
        ProposeCommand.Create(),
        ProposalsCommand.Create(),
        VoteCommand.Create(),
        QueueCommand.Create(),
        ExecuteCommand.Create(),
        CancelCommand.Create(),
        HistoryCommand.Create(),
        VerifyCommand.Create(),
        EvaluateCommand.Create(),
        GenerateCommand.Create(),
        ChatCommand.Create(),
        DataCommand.Create(),
        AdapterCommand.Create(),
        StoreCommand.Create(),
        IdentityCommand.Create(),
        ModelCommand.Create(),
        ChainCommand.Create(),
        ProfileCommand.Create(),
        RotateCommand.Create(),
        RecommitCommand.Create(),
        RecoverCommand.Create(),
        DormantCommand.Create(),
        WakeCommand.Create(),
        LeaveCommand.Create(),
        BackupCommand.Create(),
        RestoreCommand.Create(),
    };

    private static string PathOf(ParseResult parsed) =>
        parsed.CommandResult.Command is RootCommand ? "" : parsed.CommandResult.Command.Name + " ";
}
