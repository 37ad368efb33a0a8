using System.CommandLine;
using FedChain.Node.Governance;
using FedChain.Node.Models;
using FedChain.Protocol.Governance;

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
        var schedule = new Option<string?>("--schedule") { Description = "The factors to train, round after round: A, B or AB, separated by commas.", HelpName = "LIST" };
        var postQuantum = new Option<bool?>("--post-quantum") { Description = "Whether everything must be sealed to post-quantum recipients: true or false.", Arity = ArgumentArity.ExactlyOne };
        var maxSteps = new Option<int?>("--max-steps") { Description = "The most optimiser steps in a round." };
        var jsonFile = new Option<FileInfo?>("--json-file") { Description = "A whole policy as JSON, which the other options then change.", HelpName = "FILE" };
        var newSeed = new Option<bool>("--new-seed") { Description = "Start again, from another first adapter." };
        var model = new Option<DirectoryInfo?>("--model") { Description = "The base model, if the first adapter has to be made anew; the home's if not given.", HelpName = "DIR" };
        return ProposeCommand.Sub("policy", """
            Proposes another policy, in force from the opening after its execution on. What isn't named stays as it is.

            Example:
              fedchain propose policy --home /srv/fedchain --training 3600 --schedule B,A --rounds 50
            """,
            [training, publishing, attesting, interval, minimum, maxTurns, rounds, schedule, postQuantum, maxSteps, jsonFile, newSeed, model],
            async (result, writer, cancellationToken) =>
            {
                var edit = new PolicyEdit
                {
                    Training = result.GetValue(training),
                    Publishing = result.GetValue(publishing),
                    Attesting = result.GetValue(attesting),
                    Interval = result.GetValue(interval),
                    Minimum = result.GetValue(minimum),
                    MaxTurns = result.GetValue(maxTurns),
                    Rounds = result.GetValue(rounds),
                    Schedule = result.GetValue(schedule),
                    PostQuantum = result.GetValue(postQuantum),
                    MaxSteps = result.GetValue(maxSteps),
                    Json = result.GetValue(jsonFile) is { } file ? await File.ReadAllTextAsync(file.FullName, cancellationToken) : null,
                    NewSeed = result.GetValue(newSeed),
                };
                var present = writer.Session.Reader.State.LatestPolicy!;
                var action = await edit.ApplyAsync(
                    present, () => BaseModel.Open(result.GetValue(model)?.FullName ?? writer.Home.Settings.Model ?? BaseModel.Own), cancellationToken);
                foreach (var change in PolicyChange.Between(present, action.Json, action.Params, action.Genesis))
                {
                    await Console.Error.WriteLineAsync($"  {change.Field}: {change.From ?? "(none)"} -> {change.To ?? "(none)"}");
                }

                return action;
            });
    }

    private static Option<uint?> Number(string name, string description) => new(name) { Description = description };
}
