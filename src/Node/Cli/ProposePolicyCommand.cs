using System.CommandLine;
using System.Text;
using FedChain.Node.Governance;
using FedChain.Node.Models;
using FedChain.Protocol.Governance;
using FedChain.Protocol.Manifests;

namespace FedChain.Node.Cli;

internal static class ProposePolicyCommand
{
    public static Command Create()
    {
        var training = Number("--training", "Seconds for training and submitting.");
        var publishing = Number("--publishing", "Seconds for each turn to publish.");
        var attesting = Number("--attesting", "Seconds for each turn's attestations.");
        var interval = Number("--interval", "Seconds between rounds.");
        var minimum = Number("--minimum", "The least number of updates; never below a majority of the members.");
        var maxTurns = new Option<byte?>("--max-turns") { Description = "The most aggregators to try, 1 to 8." };
        var rounds = Number("--rounds", "How many rounds may be opened under it.");
        var updates = new UpdateOptions();
        var postQuantum = new Option<bool?>("--post-quantum") { Description = "Whether everything must be sealed to post-quantum recipients: true or false.", Arity = ArgumentArity.ExactlyOne };
        var maxSteps = new Option<int?>("--max-steps") { Description = "The most optimiser steps in a round." };
        var jsonFile = new Option<FileInfo?>("--json-file") { Description = "A whole policy as JSON, which the other options then change.", HelpName = "FILE" };
        var newSeed = new Option<bool>("--new-seed") { Description = "Start again, from another first adapter." };
        var model = new Option<DirectoryInfo?>("--model") { Description = "The base model, if the first adapter has to be made anew; the home's if not given.", HelpName = "DIR" };
        return ProposeCommand.Sub("policy", """
            Proposes another policy, in force from the opening after its execution on. What isn't named stays as it is.

            Example:
              fedchain propose policy --home /srv/fedchain --training 3600 --rule trimmed-mean,trim=1 --rounds 50
            """,
            [training, publishing, attesting, interval, minimum, maxTurns, rounds, .. updates.All, postQuantum, maxSteps, jsonFile, newSeed, model],
            async (result, writer, cancellationToken) =>
            {
                var edit = updates.ReadFrom(result) with
                {
                    Training = result.GetValue(training),
                    Publishing = result.GetValue(publishing),
                    Attesting = result.GetValue(attesting),
                    Interval = result.GetValue(interval),
                    Minimum = result.GetValue(minimum),
                    MaxTurns = result.GetValue(maxTurns),
                    Rounds = result.GetValue(rounds),
                    PostQuantum = result.GetValue(postQuantum),
                    MaxSteps = result.GetValue(maxSteps),
                    Json = result.GetValue(jsonFile) is { } file ? await File.ReadAllTextAsync(file.FullName, cancellationToken) : null,
                    NewSeed = result.GetValue(newSeed),
                };
                var state = writer.Session.Reader.State;
                var present = state.LatestPolicy!;
                var action = await edit.ApplyAsync(
                    present, () => BaseModel.Open(result.GetValue(model)?.FullName ?? writer.Home.Settings.Model ?? BaseModel.Own), cancellationToken);
                foreach (var change in PolicyChange.Between(present, action.Json, action.Params, action.Genesis))
                {
                    await Console.Error.WriteLineAsync($"  {change.Field}: {change.From ?? "(none)"} -> {change.To ?? "(none)"}");
                }

                if (PolicyEdit.Shortage(Policy.Parse(Encoding.UTF8.GetBytes(action.Json)).Rule, state.Seats.Count) is { } shortage)
                {
                    await Console.Error.WriteLineAsync(shortage);
                }

                return action;
            });
    }

    private static Option<uint?> Number(string name, string description) => new(name) { Description = description };
}
