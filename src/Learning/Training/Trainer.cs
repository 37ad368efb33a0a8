using System.Diagnostics;
using System.Security.Cryptography;
using FedChain.Learning.Examples;
using FedChain.Learning.Lora;
using FedChain.Learning.Models;
using static TorchSharp.torch;

namespace FedChain.Learning.Training;

/// <summary>The training loop: batches, loss, gradients, clipping, update. One instance, one training.</summary>
internal sealed class Trainer : IDisposable
{
    private readonly Decoder _decoder;
    private readonly IReadOnlyList<Tensor> _parameters;
    private readonly List<TokenizedExample> _examples;
    private readonly TrainingOptions _options;
    private readonly AdamW _optimiser;
    private readonly LoraDropout? _dropout;
    private readonly OptimiserMemory? _memory;
    private readonly Tensor? _anchor; // the parameters at the beginning, where the proximal term pulls to
    private readonly string _run;
    private int _done;
    private double _first = double.NaN;
    private long _tokens;
    private long _responseTokens;

    /// <param name="decoder">Whose parameters are trained; everything else is frozen.</param>
    /// <param name="parameters">Trained in place.</param>
    /// <param name="examples">What is learnt.</param>
    /// <param name="options">How.</param>
    /// <param name="memory">Of an earlier training; goes on and is kept up to date.</param>
    /// <exception cref="ArgumentException">Options out of range, or examples that the model can't take.</exception>
    public Trainer(Decoder decoder, IReadOnlyList<Tensor> parameters, IReadOnlyList<TokenizedExample> examples, TrainingOptions options, OptimiserMemory? memory = null)
    {
        TrainingOptions.Validate(options);
        (_decoder, _parameters, _options) = (decoder, parameters, options);
        _examples = ExampleChecks.Usable(examples, decoder.Config);
        _optimiser = new AdamW(parameters, options);
        _memory = memory;
        if (memory is not null)
        {
            _optimiser.Recall(memory);
        }

        _dropout = options.Dropout > 0 ? new LoraDropout(options.Dropout, options.Seed) : null;
        using var _ = no_grad();
        using var scope = NewDisposeScope();
        _anchor = options.Proximal > 0 ? AdamW.Flatten(parameters).DetachFromDisposeScope() : null;
        _run = Describe();
    }

    /// <summary>Trains to the last step, from the beginning or from a checkpoint.</summary>
    /// <exception cref="CheckpointMismatchException">The checkpoint is of another training.</exception>
    /// <exception cref="TrainingDivergedException">A loss or gradient is no number.</exception>
    /// <exception cref="OperationCanceledException">Asked for between steps; the steps done stay.</exception>
    public TrainingResult Train(TrainingResumption? resumption, IProgress<TrainingProgress>? progress, CancellationToken cancellationToken)
    {
        Resume(resumption?.From);
        using var batches = BatchOrder.Shuffled(_examples, _options.BatchSize, _options.Seed).GetEnumerator();
        for (var i = 0; i < _done * _options.AccumulationSteps; i++)
        {
            batches.MoveNext();
        }

        var (started, alreadyDone, alreadyTokens) = (Stopwatch.GetTimestamp(), _done, _tokens);
        var loss = double.NaN;
        try
        {
            Prepare(true);
            int[] last = [];
            while (_done < _options.Steps)
            {
                if (cancellationToken.IsCancellationRequested)
                {
                    resumption?.Save(Checkpoint());
                    cancellationToken.ThrowIfCancellationRequested();
                }

                loss = Step(batches);
                last = batches.Current;
                _first = _done == 1 ? loss : _first;
                var elapsed = Stopwatch.GetElapsedTime(started);
                progress?.Report(new(
                    _done, _options.Steps, loss, _options.LearningRateAt(_done), (_tokens - alreadyTokens) / elapsed.TotalSeconds,
                    elapsed * ((double)(_options.Steps - _done) / (_done - alreadyDone))));
                if (resumption is not null && _done % resumption.Every == 0)
                {
                    resumption.Save(Checkpoint());
                }
            }

            RequireGoodEnd(last);
        }
        finally
        {
            Prepare(false);
        }

        if (_memory is not null)
        {
            _optimiser.Remember(_memory);
        }

        return new(_options.Steps, _first, loss, _tokens, _responseTokens, Stopwatch.GetElapsedTime(started));
    }

    public void Dispose()
    {
        _optimiser.Dispose();
        _anchor?.Dispose();
    }

    /// <summary>One update, from one or more batches; returns the mean loss before it.</summary>
    private double Step(IEnumerator<int[]> batches)
    {
        using var scope = NewDisposeScope();
        var step = _done + 1;
        Tensor? gradient = null;
        var (nats, targets, tokens) = (0.0, 0, 0);
        for (var i = 0; i < _options.AccumulationSteps; i++)
        {
            batches.MoveNext();
            var batch = TokenBatch.FromExamples([.. batches.Current.Select(e => _examples[e])], _decoder.Device);
            _dropout?.Begin(((long)_done * _options.AccumulationSteps) + i);
            var (summed, part) = _options.GradientCheckpointing ? GradientPass.RunCheckpointed(_decoder, _parameters, batch) : GradientPass.Run(_decoder, _parameters, batch);
            if (part is null)
            {
                throw Diverged(step);
            }

            gradient = gradient is null ? part : gradient.PlusInPlace(part, 1);
            (nats, targets, tokens) = (nats + summed, targets + batch.TargetCount, tokens + batch.TokenCount);
        }

        gradient = gradient!.OverInPlace(targets);
        if (_anchor is not null)
        {
            using var _ = no_grad();
            gradient.PlusInPlace(AdamW.Flatten(_parameters).sub(_anchor), _options.Proximal);
        }

        var norm = gradient.norm().item<float>();
        if (!float.IsFinite(norm))
        {
            throw new TrainingDivergedException(step, step - 1, "The gradient");
        }

        if (_options.MaxGradientNorm is { } most && norm > most)
        {
            gradient.TimesInPlace(most / norm);
        }

        _optimiser.Step(gradient, _options.LearningRateAt(step));
        (_done, _tokens, _responseTokens) = (step, _tokens + tokens, _responseTokens + targets);
        return nats / targets;
    }

    /// <summary>Every update is judged by the loss of the step after it; the last one by that of its own last batch, once more.</summary>
    private void RequireGoodEnd(int[] batch)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        if (batch.Length > 0 && !float.IsFinite(_decoder.Loss(TokenBatch.FromExamples([.. batch.Select(e => _examples[e])], _decoder.Device)).item<float>()))
        {
            throw Diverged(_done + 1);
        }
    }

    /// <summary>The weights that gave this loss came from the update before: it goes too.</summary>
    private TrainingDivergedException Diverged(int step)
    {
        if (step > 1)
        {
            _optimiser.UndoStep();
        }

        return new(step, Math.Max(0, step - 2), "The loss");
    }

    private void Prepare(bool training)
    {
        foreach (var parameter in _parameters)
        {
            parameter.requires_grad_(training);
        }

        foreach (var linear in _decoder.Linears)
        {
            linear.Dropout = training ? _dropout : null;
        }
    }

    private TrainingCheckpoint Checkpoint()
    {
        var vectors = _optimiser.Save();
        if (_anchor is not null)
        {
            vectors.Add("anchor", TensorData.Values(_anchor));
        }

        return new() { Step = _done, OptimiserSteps = _optimiser.Steps, Run = _run, FirstLoss = _first, Tokens = _tokens, ResponseTokens = _responseTokens, Vectors = vectors };
    }

    private void Resume(TrainingCheckpoint? from)
    {
        if (from is null)
        {
            return;
        }

        if (from.Run != _run)
        {
            throw new CheckpointMismatchException();
        }

        _optimiser.Load(from.Vectors, from.OptimiserSteps);
        if (_anchor is not null)
        {
            TensorData.Fill(_anchor, from.Vectors["anchor"]);
        }

        (_done, _first, _tokens, _responseTokens) = (from.Step, from.FirstLoss, from.Tokens, from.ResponseTokens);
    }

    /// <summary>A digest of all that the training's course depends on, except the weights.</summary>
    private string Describe()
    {
        using var sha = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        sha.AppendData(System.Text.Encoding.UTF8.GetBytes($"{_options};{_parameters.Sum(p => p.NumberOfElements)};{_parameters.Count};{_decoder.Weights}"));
        foreach (var example in _examples)
        {
            sha.AppendData(System.Runtime.InteropServices.MemoryMarshal.AsBytes([example.Tokens.Length, example.PromptLength, .. example.Tokens]));
        }

        return Convert.ToHexStringLower(sha.GetHashAndReset());
    }
}
