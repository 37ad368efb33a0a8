using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using FedChain.Learning;
using FedChain.Learning.Lora;
using FedChain.Learning.Training;
using FedChain.Node.Adapters;
using FedChain.Node.Homes;
using FedChain.Node.Models;
using FedChain.Node.Training;
using FedChain.Protocol;

namespace FedChain.Node.Cli;

/// <summary>An adapter of the institution's own, beside the shared one: trained from it on the own records alone, and never sent anywhere.</summary>
internal static class AdapterPersonaliseCommand
{
    public static Command Create()
    {
        var home = CommonOptions.Home();
        var rpc = CommonOptions.Rpc();
        var from = EvaluateCommand.AdapterOption();
        var name = new Option<string>("--name") { Description = "What the home is to call it.", HelpName = "NAME", DefaultValueFactory = _ => "personal" };
        var data = new Option<FileInfo?>("--data") { Description = "Records to train on; the home's if not given.", HelpName = "FILE" };
        var passphrase = CommonOptions.PassphraseFile();
        var json = CommonOptions.Json();
        var command = new Command("personalise", """
            Trains an adapter of this institution's own: from a shared one on, on its own records alone. It stays in the home, is shared with nobody, and
            is used as imported:NAME by generate, evaluate, chat, 'adapter keep' and 'adapter merge'. Nothing is kept that does worse on the validation
            records than the adapter that it began from. A shared adapter serves all institutions; this one serves one. With --personal-share, which the peer
            was given too, the learning rate goes on from where the federation's rounds left it, and the peer's optimiser with it, for as many steps as that share
            leaves: S p / (1 - p) after S in the rounds, unless --steps says another number. With --own-adapter it is the pair of the shared adapter and the one that this home's peer trained beside
            it, of twice the rank.

            Examples:
              fedchain adapter personalise --home /srv/fedchain --adapter round:latest --personal-share 0.5
              fedchain adapter keep imported:personal --home /srv/fedchain
            """)
        { home, rpc, from, name, data, passphrase, json };
        var (placementOptions, trainingOptions) = (new PlacementOptions(command), new LocalTrainingOptions(command));
        command.SetAction(async (result, cancellationToken) =>
        {
            var folder = HomeFolder.Open(result.GetRequiredValue(home).FullName);
            var chosenName = ImportedAdapter.RequireFree(folder, result.GetRequiredValue(name));
            var training = trainingOptions.Apply(result, folder.Settings.Training);
            var file = result.GetValue(data)?.FullName ?? folder.Settings.Data
                ?? throw new UserErrorException($"The home {folder.Path} names no data. Use --data FILE, or set \"data\" in home.json.");
            var baseModel = BaseModel.Open(folder.Settings.Model ?? BaseModel.Own);
            var prepared = TorchTrainer.ReadData(baseModel, file, training);
            using var loaded = await LoadedModel.OpenAsync(folder, result.GetValue(rpc), result.GetValue(from), placementOptions.Read(result, folder.Settings),
                () => Passphrase.Read(result.GetValue(passphrase)?.FullName, confirm: false), cancellationToken);
            var start = loaded.Adapter ?? throw new UserErrorException("A personal adapter goes on from another one, and the base model alone has none. Use --adapter round:latest, or a PEFT folder.");
            var digest = await baseModel.DigestAsync(cancellationToken);
            var shared = Loss();
            if (training.OwnAdapter)
            {
                start = WithOwn(loaded.Model, folder, digest);
            }

            var before = Math.Min(shared, Loss());
            var memory = (training.PersonalShare > 0 ? TrainingFiles.LatestMemory(folder, digest, start.Config, Damaged) : null) ?? new OptimiserMemory();
            if (training.PersonalShare > 0 && !trainingOptions.NamesSteps(result))
            {
                training = training with { Steps = StepsAfter(memory.Steps, training.PersonalShare) };
            }

            var options = training.ForPersonal(folder.Settings.Seed);
            loaded.Model.TrainAdapter(prepared.Train, options, resumption: null, memory, result.GetValue(json) ? null : new Printer(), cancellationToken);
            var after = Loss();
            if (after >= before)
            {
                throw new UserErrorException(string.Create(CultureInfo.InvariantCulture,
                    $"After {options.Steps} steps the loss on the {prepared.Val.Count} validation records is {after:F4} nats per token; {loaded.Name} has {before:F4}. Nothing was kept. Try a lower --learning-rate or fewer --steps."));
            }

            var (personal, _) = ImportedAdapter.Add(
                folder, chosenName, start with { Values = loaded.Model.AdapterValues() }, start.Config.FractionBits, digest);
            if (result.GetValue(json))
            {
                Console.WriteLine(JsonSerializer.Serialize(new
                {
                    name = personal.Name,
                    adapter = personal.Digest.ToString(),
                    from = loaded.Name,
                    steps = options.Steps,
                    trainingRecords = prepared.Train.Count,
                    validationRecords = prepared.Val.Count,
                    natsPerTokenBefore = before,
                    natsPerToken = after,
                    folder = personal.Folder,
                }, JsonOutput.Options));
                return;
            }

            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"""
                Kept in the home as {AdapterReference.ImportedPrefix}{personal.Name}, adapter {personal.Digest}.
                  Loss on the {prepared.Val.Count} validation records: {after:F4} nats per token; {before:F4} with {loaded.Name}.
                  'fedchain adapter keep {AdapterReference.ImportedPrefix}{personal.Name}' makes it the one that generate, chat and evaluate use.
                """));

            double Loss() => loaded.Model.Evaluate(prepared.Val, training.BatchSize, cancellationToken).NatsPerToken;
        });
        return command;
    }

    private static int StepsAfter(int steps, double share) => (int)Math.Min(int.MaxValue, Math.Round(steps * share / (1 - share))) is > 0 and var personal
        ? personal
        : throw new UserErrorException($"With --personal-share the personal steps follow from those in the federation's rounds, and this home's peer remembers {steps} with such an adapter. Say how many with --steps.");

    private static void Damaged(string path, InvalidDataException fault) => Console.Error.WriteLine($"{path} is damaged ({fault.Message.TrimEnd('.')}), so that of the round before it counts.");

    /// <summary>Puts the home's own adapter beside the shared one on the model.</summary>
    private static PeftFolder WithOwn(CausalLanguageModel model, HomeFolder home, Hash256 baseModel)
    {
        var (shared, pair) = (model.ExportAdapter(), AdapterPair.ConfigOf(model.AdapterConfig!));
        var own = TrainingFiles.LatestOwn(home, baseModel, pair, shared.Layout, Damaged) ?? throw new UserErrorException(
            $"The peer of {home.Path} has trained no adapter of its own beside shared ones of this shape. It does with \"ownAdapter\": true under \"training\" in home.json; without --own-adapter the personal adapter goes on from the shared one alone.");
        model.AttachAdapter(pair, AdapterPair.Join(shared, own, model.LayoutFor(pair)));
        return new PeftFolder(pair, model.AdapterLayout!, model.AdapterValues());
    }

    private sealed class Printer : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value)
        {
            if (value.Step % 10 == 0 || value.Step == value.Steps)
            {
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                    $"step {value.Step} of {value.Steps}: loss {value.Loss:F4}, {value.TokensPerSecond:F0} tokens/s, {value.Remaining:h\\:mm\\:ss} left"));
            }
        }
    }
}
