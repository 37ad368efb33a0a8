using FedChain.Learning.Evaluation;
using FedChain.Learning.Examples;
using FedChain.Learning.Generation;
using FedChain.Learning.Lora;
using FedChain.Learning.Models;
using FedChain.Learning.Training;
using FedChain.Protocol;
using FedChain.Protocol.Files;

namespace FedChain.Learning;

/// <summary>
/// A decoder language model with, at most, one LoRA adapter: what the rest of the program sees of this project. One thread at a time; torch itself
/// uses <see cref="Compute.Threads"/>. Texts come as token ids.
/// </summary>
public sealed class CausalLanguageModel : IDisposable
{
    private readonly Decoder _decoder;
    private LoraAdapter? _adapter;

    private CausalLanguageModel(Decoder decoder) => _decoder = decoder;

    /// <summary>The model's shape.</summary>
    public DecoderConfig Config => _decoder.Config;

    /// <summary>The number of the base model's weights.</summary>
    public long ParameterCount => _decoder.Parameters.Values.Sum(p => p.NumberOfElements) + _decoder.Quantized.Values.Sum(q => q.Values.NumberOfElements);

    /// <summary>The attached adapter's configuration; null without one.</summary>
    public AdapterConfig? AdapterConfig => _adapter?.Config;

    /// <summary>The attached adapter's names, shapes and order of values; null without one.</summary>
    public AdapterLayout? AdapterLayout => _adapter?.Layout;

    /// <summary>Whether the attached adapter takes part. False shows the base model; the adapter keeps its values.</summary>
    public bool AdapterEnabled
    {
        get => _adapter?.Enabled ?? false;
        set => Attached.Enabled = value;
    }

    private LoraAdapter Attached => _adapter ?? throw new InvalidOperationException("No adapter is attached to the model.");

    /// <summary>Reads a model in the Hugging Face layout (config.json, model.safetensors or shards; F32, F16 or BF16).</summary>
    /// <param name="directory">The model's folder.</param>
    /// <param name="device">Where it goes.</param>
    /// <param name="weights">How the weights are held; null for the device's usual type, float32 on the CPU and bfloat16 on CUDA.</param>
    /// <exception cref="InvalidDataException">The folder lacks a file, or holds something malformed or unsupported; the message names it.</exception>
    /// <exception cref="DllNotFoundException">libtorch can't be loaded; the message says what to do.</exception>
    /// <exception cref="InvalidOperationException">CUDA was asked for and isn't there.</exception>
    public static CausalLanguageModel Load(string directory, ComputeDevice device = ComputeDevice.Auto, WeightType? weights = WeightType.Float32)
    {
        var on = Compute.Resolve(device);
        return new(ModelFolder.Load(directory, on, weights ?? Compute.UsualWeights(device)));
    }

    /// <summary>A new model with weights drawn from a seed; the same on every machine.</summary>
    /// <exception cref="InvalidDataException">The configuration contradicts itself.</exception>
    public static CausalLanguageModel Create(DecoderConfig config, ulong seed, ComputeDevice device = ComputeDevice.Auto)
    {
        var decoder = new Decoder(config, Compute.Resolve(device));
        FirstWeights.Fill(decoder, seed);
        return new(decoder);
    }

    /// <summary>Names, shapes and order of the values that an adapter of this configuration has on this model.</summary>
    /// <exception cref="ArgumentException">The model has no layer of a targeted name.</exception>
    public AdapterLayout LayoutFor(AdapterConfig config) => LoraAdapter.LayoutFor(_decoder, config);

    /// <summary>Writes the base model in the Hugging Face layout: config.json and model.safetensors. The adapter isn't part of it.</summary>
    /// <param name="directory">Made if needed; files of these names are replaced.</param>
    /// <param name="type"><see cref="TensorType.Float32"/> or <see cref="TensorType.BFloat16"/>.</param>
    public void Save(string directory, TensorType type = TensorType.Float32)
    {
        if (type is not (TensorType.Float32 or TensorType.BFloat16))
        {
            throw new ArgumentOutOfRangeException(nameof(type), type, "Weights are saved as F32 or BF16.");
        }

        if (_decoder.Weights == WeightType.Int8)
        {
            throw new InvalidOperationException("Weights held in 8 bits are no longer those of the checkpoint; load the model in another type to save it.");
        }

        ModelFolder.Save(_decoder, directory, type);
    }

    /// <summary>Attaches the adapter that a federation starts from (A from the seed's generator, B = 0), in place of any other.</summary>
    /// <exception cref="ArgumentException">The model has no layer of a targeted name.</exception>
    public void AttachAdapter(AdapterConfig config, Hash256 seed) => AttachAdapter(config, Adapter.First(LayoutFor(config), seed, config.FractionBits));

    /// <summary>Attaches an adapter, in place of any other.</summary>
    /// <exception cref="ArgumentException">The model has no layer of a targeted name, or the adapter is of another layout.</exception>
    public void AttachAdapter(AdapterConfig config, Adapter adapter)
    {
        DetachAdapter();
        _adapter = new LoraAdapter(_decoder, config);
        ImportAdapter(adapter);
    }

    /// <summary>Attaches an adapter that PEFT saved, in place of any other.</summary>
    /// <exception cref="ArgumentException">It doesn't fit the model.</exception>
    public void AttachAdapter(PeftFolder adapter)
    {
        if (!LayoutFor(adapter.Config).Equals(adapter.Layout))
        {
            throw new ArgumentException("The adapter's tensors are not those that its configuration asks for on this model.", nameof(adapter));
        }

        DetachAdapter();
        _adapter = new LoraAdapter(_decoder, adapter.Config);
        _adapter.Import(adapter.Values);
    }

    /// <summary>Takes the adapter off; the base model is what it was.</summary>
    public void DetachAdapter()
    {
        _adapter?.Dispose();
        _adapter = null;
    }

    /// <summary>Sets the attached adapter's values to those of fixed-point integers, exactly.</summary>
    /// <exception cref="ArgumentException">Another layout.</exception>
    /// <exception cref="InvalidOperationException">No adapter is attached.</exception>
    public void ImportAdapter(Adapter adapter)
    {
        if (!Attached.Layout.Equals(adapter.Layout))
        {
            throw new ArgumentException($"The adapter has another layout ({adapter.Layout.Count} values) than the one attached ({Attached.Layout.Count}).", nameof(adapter));
        }

        var values = new float[adapter.Layout.Count];
        Protocol.Numerics.FixedPoint.Dequantize(adapter.Values, adapter.FractionBits, values);
        Attached.Import(values);
    }

    /// <summary>The attached adapter's float32 values, in its layout's order.</summary>
    /// <exception cref="InvalidOperationException">No adapter is attached.</exception>
    public float[] AdapterValues() => Attached.Export();

    /// <summary>The attached adapter in fixed point, rounded to the fraction bits of its configuration.</summary>
    /// <exception cref="InvalidOperationException">No adapter is attached.</exception>
    /// <exception cref="ArgumentException">A value is no finite number.</exception>
    public Adapter ExportAdapter()
    {
        var values = new int[Attached.Layout.Count];
        Protocol.Numerics.FixedPoint.Quantize(Attached.Export(), Attached.Config.FractionBits, values);
        return new Adapter(Attached.Layout, Attached.Config.FractionBits, values);
    }

    /// <summary>
    /// Adds <paramref name="share"/> · s B A of the attached adapter to the base weights themselves, until <see cref="RestoreWeights"/>. So FedEx-LoRA gives
    /// everybody what averaged factors leave out: mean(B A) - mean(B) mean(A) (Singhal et al., arXiv 2410.09432).
    /// </summary>
    /// <exception cref="InvalidOperationException">No adapter is attached, or the weights aren't held in float32.</exception>
    public void AbsorbAdapter(double share) => Attached.Absorb(share);

    /// <summary>The base weights as they were loaded, to the bit.</summary>
    public void RestoreWeights()
    {
        foreach (var linear in _decoder.Linears)
        {
            linear.Restore();
        }
    }

    /// <summary>Trains the attached adapter; the base weights are frozen.</summary>
    /// <exception cref="ArgumentException">Options out of range, or examples that the model can't take (too long, unknown ids, no response).</exception>
    /// <exception cref="TrainingDivergedException">A loss or gradient is no number; the adapter is that of the last good step.</exception>
    /// <exception cref="OperationCanceledException">Asked for between steps; the steps done stay.</exception>
    public TrainingResult TrainAdapter(
        IReadOnlyList<TokenizedExample> examples, TrainingOptions options, IProgress<TrainingProgress>? progress = null, CancellationToken cancellationToken = default) =>
        TrainAdapter(examples, options, resumption: null, memory: null, progress, cancellationToken);

    /// <summary>As <see cref="TrainAdapter(IReadOnlyList{TokenizedExample}, TrainingOptions, IProgress{TrainingProgress}?, CancellationToken)"/>, interruptible: it can go on from a checkpoint.</summary>
    /// <param name="examples">What is learnt.</param>
    /// <param name="options">How.</param>
    /// <param name="resumption">Checkpoints of this training.</param>
    /// <param name="memory">What the optimiser remembers of an earlier training of the same factors; brought up to date at the end.</param>
    /// <param name="progress">Told of every step.</param>
    /// <param name="cancellationToken">Looked at between steps.</param>
    /// <exception cref="CheckpointMismatchException">The checkpoint is of another training.</exception>
    /// <exception cref="ArgumentException">Also where the memory is of other weights.</exception>
    public TrainingResult TrainAdapter(
        IReadOnlyList<TokenizedExample> examples, TrainingOptions options, TrainingResumption? resumption, OptimiserMemory? memory = null, IProgress<TrainingProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        if (!Attached.Enabled)
        {
            throw new InvalidOperationException("The adapter is disabled; enable it before training.");
        }

        using var trainer = new Trainer(_decoder, Attached.Of(options.Factors), examples, options, memory);
        return trainer.Train(resumption, progress, cancellationToken);
    }

    /// <summary>Trains all weights of the base model, as in pre-training. Exceptions as with training an adapter.</summary>
    /// <exception cref="ArgumentException">Also for options that are for adapters only.</exception>
    /// <exception cref="InvalidOperationException">An adapter is attached, or the weights are held in 8 bits.</exception>
    public TrainingResult TrainAllWeights(
        IReadOnlyList<TokenizedExample> examples, TrainingOptions options, IProgress<TrainingProgress>? progress = null, CancellationToken cancellationToken = default)
    {
        if (_adapter is not null || _decoder.Weights != WeightType.Float32)
        {
            throw new InvalidOperationException(_adapter is not null ? "Detach the adapter before all weights are trained." : "All weights are trained in float32 only; load the model so.");
        }

        if (options.GradientCheckpointing || options.Dropout > 0)
        {
            throw new ArgumentException("Gradient checkpointing and dropout are for adapters.", nameof(options));
        }

        using var trainer = new Trainer(_decoder, [.. _decoder.Parameters.Values], examples, options);
        return trainer.Train(resumption: null, progress, cancellationToken);
    }

    /// <summary>The mean loss on the examples' responses.</summary>
    /// <exception cref="ArgumentException">Examples that the model can't take (too long, unknown ids, no response).</exception>
    public EvaluationResult Evaluate(IReadOnlyList<TokenizedExample> examples, int batchSize = 16, CancellationToken cancellationToken = default) =>
        EvaluationResult.Of(EvaluateEach(examples, batchSize, cancellationToken));

    /// <summary>The loss on each example's response, in the examples' order; those in which nothing is predicted are left out.</summary>
    /// <exception cref="ArgumentException">Examples that the model can't take (too long, unknown ids, no response).</exception>
    public IReadOnlyList<EvaluationResult> EvaluateEach(IReadOnlyList<TokenizedExample> examples, int batchSize = 16, CancellationToken cancellationToken = default)
    {
        using var merged = _adapter?.Merge();
        return Evaluator.EvaluateEach(_decoder, examples, batchSize, cancellationToken);
    }

    /// <summary>How often the model finds the right answer likelier than the wrong ones.</summary>
    /// <exception cref="ArgumentException">No question, one with fewer than two answers, or answers that the model can't take.</exception>
    public LabelAccuracy EvaluateLabels(IReadOnlyList<LabelQuestion> questions, int batchSize = 16, CancellationToken cancellationToken = default)
    {
        using var merged = _adapter?.Merge();
        return LabelEvaluator.Evaluate(_decoder, questions, batchSize, cancellationToken);
    }

    /// <summary>Continues a prompt, token by token as they come.</summary>
    /// <exception cref="ArgumentException">The prompt is empty, longer than the context, or holds ids outside the vocabulary.</exception>
    public IEnumerable<int> Generate(int[] prompt, GenerationOptions? options = null, CancellationToken cancellationToken = default)
    {
        var generator = new Generator(_decoder);
        var tokens = generator.Continue(prompt, options ?? new(), cancellationToken);
        return Generated();

        IEnumerable<int> Generated()
        {
            using var conversation = new Conversation(generator, _adapter?.Merge());
            foreach (var token in tokens)
            {
                yield return token;
            }
        }
    }

    /// <summary>Begins a conversation, with the adapter as it is now.</summary>
    public Conversation Converse() => new(new Generator(_decoder), _adapter?.Merge());

    public void Dispose()
    {
        DetachAdapter();
        _decoder.Dispose();
    }
}
