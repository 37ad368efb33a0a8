using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using FedChain.Learning;
using FedChain.Learning.Data;
using FedChain.Learning.Examples;
using FedChain.Learning.Models;
using FedChain.Learning.Tokenization;
using FedChain.Learning.Training;
using FedChain.Node.Models;
using FedChain.Node.Peer;
using FedChain.Protocol;
using FedChain.Protocol.Files;
using FedChain.Protocol.Manifests;
using FedChain.Protocol.Numerics;

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
    private readonly LocalWork _work;
    private readonly Hash256 _baseModel;
    private readonly AdapterConfig? _pair; // of the shared adapter and the institution's own, where it has one

    private TorchTrainer(CausalLanguageModel model, PreparedData data, Policy policy, LocalTraining training, ulong seed)
    {
        (_model, _data, _config, _seed) = (model, data, policy.Adapter, seed);
        (_training, _work, _baseModel) = (training, policy.Work, policy.BaseModel);
        _pair = training.OwnAdapter ? AdapterPair.ConfigOf(_config) : null;
        Layout = model.LayoutFor(_config);
        ValidationSet = SetOf(policy.BaseModel, data.Val);
    }

    public AdapterLayout Layout { get; }

    public Hash256 ValidationSet { get; }

    public long WorkingBytes => TrainingFiles.MostBytes(_pair is null ? Layout : _model.LayoutFor(_pair));

    /// <summary>Loads model and records.</summary>
    /// <exception cref="UserErrorException">The model isn't the one that the policy names, or there is nothing to train on.</exception>
    internal static async Task<TorchTrainer> LoadAsync(
        BaseModel folder, string dataFile, Policy policy, LocalTraining training, ulong seed, ModelPlacement placement, CancellationToken cancellationToken)
    {
        var digest = await folder.DigestAsync(cancellationToken);
        if (digest != policy.BaseModel)
        {
            throw new UserErrorException(
                $"The base model in {folder.Path} has the digest {digest}, but the federation's policy names {policy.BaseModel}. Get the same files as the other members.");
        }

        var prepared = ReadData(folder, dataFile, training);
        return new TorchTrainer(placement.Load(folder), prepared, policy, training, seed);
    }

    /// <summary>The records as training takes them.</summary>
    /// <exception cref="UserErrorException">There is nothing to train on.</exception>
    /// <exception cref="InvalidDataException">A file can't be read as what it should be.</exception>
    internal static PreparedData ReadData(BaseModel folder, string dataFile, LocalTraining training)
    {
        var data = InstitutionData.Load(dataFile);
        var tokenizer = TokenizerFolder.Load(folder.Path);
        var config = DecoderConfig.Read(folder.Path);
        var prepared = PreparedData.From(data, tokenizer, config.ContextLength, mostVal: training.MaxValidationRecords);
        return prepared.Train.Count > 0 && prepared.Val.Count > 0 ? prepared
            : throw new UserErrorException($"{dataFile} has {prepared.Train.Count} training and {prepared.Val.Count} validation records; at least one of each is needed.");
    }

    public Task<TrainedAdapter> TrainAsync(TrainingTask task, IProgress<TrainingStep> progress, CancellationToken cancellationToken) =>
        InTurnAsync(() => Train(task, progress, cancellationToken), cancellationToken);

    public Task<Micronats> MeasureAsync(Adapter adapter, CancellationToken cancellationToken) => InTurnAsync(
        () =>
        {
            _model.DetachAdapter();
            _model.AttachAdapter(_config, adapter);
            return Loss(cancellationToken);
        },
        cancellationToken);

    public void Dispose()
    {
        _model.Dispose();
        _turn.Dispose();
    }

    /// <summary>SHA-256 over the base model's digest and the validation records as the model sees them.</summary>
    private static Hash256 SetOf(Hash256 baseModel, IReadOnlyList<TokenizedExample> validation)
    {
        using var sha = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        sha.AppendData(baseModel.ToArray());
        foreach (var example in validation)
        {
            int[] numbers = [example.Tokens.Length, example.PromptLength, .. example.Tokens];
            sha.AppendData(MemoryMarshal.AsBytes(numbers.AsSpan())); // this machine's byte order: the digest never leaves it
        }

        return new Hash256(sha.GetHashAndReset());
    }

    private Task<T> InTurnAsync<T>(Func<T> work, CancellationToken cancellationToken) => Task.Run(
        async () =>
        {
            await _turn.WaitAsync(cancellationToken); // one model, one piece of work: the one before may still be stopping
            try
            {
                return work();
            }
            finally
            {
                _turn.Release();
            }
        },
        cancellationToken);

    private TrainedAdapter Train(TrainingTask task, IProgress<TrainingStep> progress, CancellationToken cancellationToken)
    {
        _model.DetachAdapter();
        var untouched = Loss(cancellationToken);
        _model.AttachAdapter(_config, task.Start);
        var before = Loss(cancellationToken);
        var options = _training.For(task.Factors, _seed, task.Round.Value, task.Progress, _work.MaxSteps);
        var files = new TrainingFiles(task, _pair ?? _config, _baseModel);
        if (_pair is not null)
        {
            var earlier = files.Own() ?? Adapter.First(Layout, OwnSeed(), _config.FractionBits); // B = 0: it does nothing yet
            _model.AttachAdapter(_pair, AdapterPair.Join(task.Start, earlier, _model.LayoutFor(_pair)));
        }

        var memory = files.Memory();
        try
        {
            TrainFrom(files.Checkpoint());
        }
        catch (CheckpointMismatchException)
        {
            TrainFrom(null); // the operator changed records or settings in between
        }

        Adapter? own = null;
        Micronats? ownLoss = null;
        var trained = _model.ExportAdapter();
        if (_pair is not null)
        {
            _model.ImportAdapter(trained);
            ownLoss = Loss(cancellationToken);
            (trained, own) = AdapterPair.Split(trained, Layout);
            _model.AttachAdapter(_config, trained);
        }

        _model.ImportAdapter(trained); // the loss is that of what is sent, after rounding
        var after = Loss(cancellationToken);
        files.Keep(memory, own);
        var samples = Math.Min(Math.Min((long)options.Steps * options.AccumulationSteps * options.BatchSize, _data.Train.Count), _work.MaxSamples);
        return new TrainedAdapter(trained, samples, untouched, before, after, ownLoss);

        void TrainFrom(TrainingCheckpoint? checkpoint) => _model.TrainAdapter(
            _data.Train, options, new TrainingResumption(checkpoint, _training.CheckpointSteps, files.Save), memory, new Relay(progress, _data), cancellationToken);
    }

    private Hash256 OwnSeed()
    {
        Span<byte> seed = stackalloc byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64LittleEndian(seed, _seed);
        return new Hash256(SHA256.HashData(seed));
    }

    private Micronats Loss(CancellationToken cancellationToken) => _model.Evaluate(_data.Val, _training.BatchSize, cancellationToken).Loss;

    private sealed class Relay(IProgress<TrainingStep> progress, PreparedData data) : IProgress<TrainingProgress>
    {
        public void Report(TrainingProgress value) =>
            progress.Report(new TrainingStep(value.Step, value.Steps, value.Loss, value.TokensPerSecond, data.Train.Count, data.CutRecords));
    }
}
