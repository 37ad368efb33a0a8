using System.Diagnostics;
using System.Text.Json;
using FedChain.Tests.Learning;

namespace FedChain.EndToEnd.Tests;

/// <summary>Conversations with a small model that learnt three questions, each alone and after another.</summary>
public sealed class ChatTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string Home => _folder["home"];

    private string Model => _folder["model"];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Lines_from_standard_input_are_turns_of_one_conversation()
    {
        await PrepareAsync(steps: 400);
        var outcome = await ChatAsync("bed?\n  tea?  \n\n/new\nwho?\n/exit\nbed?\n");

        Assert.Equal("ward 3\nat 4\nDr Ué\n", outcome.RequireDone());
        Assert.StartsWith($"Using no adapter on base model {Model}.", outcome.Errors, StringComparison.Ordinal);
        Assert.Equal("at 4\n", (await ChatAsync("tea?")).RequireDone()); // the end of the input ends it too
        Assert.Equal("at\n", (await ChatAsync("tea?\n", "--max-tokens", "2")).RequireDone());
    }

    [Fact]
    public async Task What_is_too_long_is_said_and_the_conversation_goes_on()
    {
        await PrepareAsync(steps: 400);
        var outcome = await ChatAsync($"tea?\n{new string('x', 150)}\n/new\nwho?\n");
        Assert.Contains("and the model's context is 128. Say it shorter, or begin anew with /new.", outcome.Errors, StringComparison.Ordinal);
        Assert.Equal("at 4\nDr Ué\n", outcome.RequireDone());
    }

    [Fact]
    public async Task An_interrupt_stops_the_answer_and_the_next_one_the_conversation()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "There is no SIGINT to send.");
        Assert.SkipWhen(IgnoresInterrupts(), "This process ignores interrupts, as what a script starts in the background does, and so would the program.");
        await PrepareAsync(steps: 0, context: 1 << 15);
        using var process = Fedchain.Start(passphrase: null, "chat", "--home", Home, "--adapter", "none", "--max-tokens", "30000");
        await process.StandardInput.WriteLineAsync("tea?".AsMemory(), Cancellation);
        await process.StandardInput.FlushAsync(Cancellation);
        var first = new char[1];
        Assert.Equal(1, await process.StandardOutput.ReadAsync(first, Cancellation));
        Interrupt(process);
        string? line;
        do
        {
            line = await process.StandardOutput.ReadLineAsync(Cancellation); // what an untrained model says has line ends of its own
            Assert.NotNull(line);
        }
        while (!line.EndsWith(" …", StringComparison.Ordinal));

        Interrupt(process);
        await process.WaitForExitAsync(Cancellation);
        Assert.True(process.ExitCode == 0, $"exit code {process.ExitCode}: {await process.StandardError.ReadToEndAsync(Cancellation)}");
        Assert.Equal("", (await process.StandardOutput.ReadToEndAsync(Cancellation)).Trim());
    }

    [Fact]
    public async Task A_model_that_was_not_made_for_it_is_refused_with_advice()
    {
        await PrepareAsync(steps: 0);
        await TemplateAsync("{% macro turn() %}{% endmacro %}");
        (await ChatAsync("x")).RequireRefusal("line 1: the statement 'macro' isn't supported. Write the prompt out in the model's own form and use 'fedchain generate'");
        await TemplateAsync("{% if messages[0].role == 'system' %}{{ raise_exception('no system message, please') }}{% endif %}{{ messages[0].content }}");
        (await ChatAsync("x", "--system", "Be kind.")).RequireRefusal("The model's chat template refuses the conversation: no system message, please");
        (await ChatAsync("x", "--max-tokens", "1")).RequireDone();
        File.Delete(Path.Combine(Model, "tokenizer_config.json"));
        (await ChatAsync("x")).RequireRefusal("has no chat template");
    }

    private async Task PrepareAsync(int steps, int context = 128)
    {
        ChatFolder.Write(Model, steps, context);
        (await Fedchain.RunAsync("secret", ["init", "--home", Home, "--name", "x", "--model", Model])).RequireDone();
    }

    private Task TemplateAsync(string template) =>
        File.WriteAllTextAsync(Path.Combine(Model, "tokenizer_config.json"), JsonSerializer.Serialize(new { chat_template = template }), Cancellation);

    private async Task<Fedchain.Outcome> ChatAsync(string input, params string[] options)
    {
        using var process = Fedchain.Start(passphrase: null, ["chat", "--home", Home, "--adapter", "none", .. options]);
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(Cancellation), process.StandardError.ReadToEndAsync(Cancellation));
        try
        {
            await process.StandardInput.WriteAsync(input.AsMemory(), Cancellation);
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // refused before it read anything
        }

        await process.WaitForExitAsync(Cancellation);
        return new Fedchain.Outcome(process.ExitCode, await output, await errors);
    }

    /// <summary>Whether SIGINT is ignored: what a process starts inherits that.</summary>
    private static bool IgnoresInterrupts()
    {
        const string Name = "SigIgn:";
        return OperatingSystem.IsLinux() && File.ReadLines("/proc/self/status").FirstOrDefault(l => l.StartsWith(Name, StringComparison.Ordinal)) is { } line
            && (Convert.ToUInt64(line[Name.Length..].Trim(), 16) & 2) != 0;
    }

    private static void Interrupt(Process process) => Process.Start("kill", ["-INT", $"{process.Id}"])!.WaitForExit();
}
