using FedChain.Learning;
using FedChain.Learning.Data;
using FedChain.Learning.Models;
using FedChain.Learning.Tokenization;
using FedChain.Learning.Training;
using FedChain.Node.Models;
using FedChain.Node.Peer;
using FedChain.Protocol;
using FedChain.Protocol.Files;
using FedChain.Protocol.Manifests;

namespace FedChain.Node.Training;

/// <summary>Trains on the institution's own records with the learning engine. The model stays loaded from round to round.</summary>
public sealed class TorchTrainer : ILocalTrainer, IDisposable
{
    private readonly SemaphoreSlim _turn = new(1);
    private readonly CausalLanguageModel _model;
    private readonly PreparedData _data;
    private readonly AdapterConfig _config;
    private readonly LocalTraining _training;
    private readonly ulong _seed;
    private readonly long _maxSamples;

    private TorchTrainer(CausalLanguageModel model, PreparedData data, Policy policy, LocalTraining training, ulong seed)
    {
        (_model, _data, _config, _seed) = (model, data, policy.Adapter, seed);
        _training = training with { Steps = Math.Min(training.Steps, policy.Work.MaxSteps) };
        _maxSamples = policy.Work.MaxSamples;
        Layout = model.LayoutFor(_config);
    }

    public AdapterLayout Layout { get; }

    /// <summary>Loads model and records.</summary>
    /// <exception cref="UserErrorException">The model isn't the one that the policy names, or there is nothing to train on.</exception>
    public static async Task<TorchTrainer> LoadAsync(
        BaseModel folder, string dataFile, Policy policy, LocalTraining training, ulong seed, ComputeDevice device, int threads, CancellationToken cancellationToken)
    {
        var digest = await folder.DigestAsync(cancellationToken);
        if (digest != policy.BaseModel)
        {
            throw new UserErrorException(
                $"The base model in {folder.Path} has the digest {digest}, but the federation's policy names {policy.BaseModel}. Get the same files as the other members.");
        }

        if (threads > 0)
        {
            Compute.Threads = threads;
        }

        var data = InstitutionData.Load(dataFile);
        var tokenizer = TokenizerFolder.Load(folder.Path);
        var config = DecoderConfig.Read(folder.Path);
        var prepared = PreparedData.From(data, tokenizer, config.ContextLength, mostVal: training.MaxValidationRecords);
        if (prepared.Train.Count == 0 || prepared.Val.Count == 0)
        {
            throw new UserErrorException($"{dataFile} has {prepared.Train.Count} training and {prepared.Val.Count} validation records; at least one of each is needed.");
        }

        return new TorchTrainer(CausalLanguageModel.Load(folder.Path, device), prepared, policy, training, seed);
    }

    /// <summary>The engine's options for one round of one institution.</summary>
    internal static TrainingOptions OptionsFor(LocalTraining training, Factors factors, ulong seed, ulong round) => new()
    {
        Steps = training.Steps,
        BatchSize = training.BatchSize,
        LearningRate = training.LearningRate,
        Factors = factors,
        Seed = unchecked((seed * 0x9E3779B97F4A7C15) + round),
    };

    public Task<TrainedAdapter> TrainAsync(
        RoundId round, Adapter start, Factors factors, IProgress<TrainingStep> progress, CancellationToken cancellationToken) => Task.Run(
        async () =>
        {
            await _turn.WaitAsync(cancellationToken); // one model, one training: the one before may still be stopping
            try
            {
                return Train(round, start, factors, progress, cancellationToken);
            }
            finally
            {
                _turn.Release();
            }
        },
        cancellationToken);

    public void Dispose()
    {
        _model.Dispose();
        _turn.Dispose();
    }

    private TrainedAdapter Train(RoundId round, Adapter start, Factors factors, IProgress<TrainingStep> progress, CancellationToken cancellationToken)
    {
        _model.DetachAdapter();
        var untouched = _model.Evaluate(_data.Val, cancellationToken: cancellationToken).Loss;
        _model.AttachAdapter(_config, start);
        var before = _model.Evaluate(_data.Val, cancellationToken: cancellationToken).Loss;
        _model.TrainAdapter(_data.Train, OptionsFor(_training, factors, _seed, round.Value), new Relay(progress, _data), cancellationToken);
        var trained = _model.ExportAdapter();
        _model.ImportAdapter(trained); // the loss is that of what is sent, after rounding
        var after = _model.Evaluate(_data.Val, cancellationToken: cancellationToken).Loss;
        var samples = Math.Min(Math.Min((long)_training.Steps * _training.BatchSize, _data.Train.Count), _maxSamples);
        return new TrainedAdapter(trained, samples, untouched, before, after);
    }

    private sealed class Relay(IProgress<TrainingStep> progress, PreparedData data) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) =>
            progress.Report(new TrainingStep(value.Step, value.Steps, value.Loss, value.TokensPerSecond, data.Train.Count, data.CutRecords));
    }
}
