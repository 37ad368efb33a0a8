// Loss and gradients of one batch, plain or with gradient checkpointing (Chen et al., Training Deep Nets with Sublinear Memory Cost, arXiv 1604.06174):
// forwards only each layer's input is kept; backwards each layer is computed once more from it, and its activations live for that layer alone.
using FedChain.Learning.Models;
using static TorchSharp.torch;

namespace FedChain.Learning.Training;

internal static class GradientPass
{
    /// <summary>The batch's summed loss in nats, and its gradient as one vector in the parameters' order. No gradient where the loss is no finite number.</summary>
    public static (double Loss, Tensor? Gradient) Run(Decoder decoder, IReadOnlyList<Tensor> parameters, TokenBatch batch)
    {
        using var scope = NewDisposeScope();
        var summed = decoder.Loss(batch);
        double loss = summed.item<float>();
        return (loss, double.IsFinite(loss) ? AdamW.Flatten(autograd.grad([summed], [.. parameters])).MoveToOuterDisposeScope() : null);
    }

    /// <summary>The same, layer by layer; for parameters that all lie in the layers' adapters.</summary>
    public static (double Loss, Tensor? Gradient) RunCheckpointed(Decoder decoder, IReadOnlyList<Tensor> parameters, TokenBatch batch)
    {
        using var scope = NewDisposeScope();
        var pass = decoder.Begin(batch.Tokens);
        var inputs = Inputs(decoder, batch, pass);
        var (loss, gradient) = Head(decoder, batch, inputs[^1]);
        if (gradient is null)
        {
            return (loss, null);
        }

        var places = new Dictionary<object, int>(parameters.Select((p, i) => KeyValuePair.Create<object, int>(p, i)), ReferenceEqualityComparer.Instance);
        var gradients = new Tensor[parameters.Count];
        for (var layer = decoder.Config.Layers - 1; layer >= 0; layer--)
        {
            using var inner = NewDisposeScope();
            var x = inputs[layer].requires_grad_();
            Tensor[] own = [.. decoder.LinearsOf(layer).SelectMany(l => new[] { l.A, l.B }).OfType<Tensor>().Where(places.ContainsKey)];
            var results = autograd.grad([decoder.Layer(layer, x, pass)], [x, .. own], [gradient]);
            gradient = results[0].MoveToOuterDisposeScope();
            for (var i = 0; i < own.Length; i++)
            {
                gradients[places[own[i]]] = results[i + 1].MoveToOuterDisposeScope();
            }

            x.Dispose();
        }

        return (loss, AdamW.Flatten(gradients).MoveToOuterDisposeScope());
    }

    /// <summary>Each layer's input, and the last one's output.</summary>
    private static List<Tensor> Inputs(Decoder decoder, TokenBatch batch, Pass pass)
    {
        using var _ = no_grad();
        List<Tensor> inputs = [decoder.Embed(batch.Tokens)];
        for (var layer = 0; layer < decoder.Config.Layers; layer++)
        {
            using var inner = NewDisposeScope();
            inputs.Add(decoder.Layer(layer, inputs[^1], pass).MoveToOuterDisposeScope());
        }

        return inputs;
    }

    /// <summary>The summed loss, and its gradient by the last layer's output.</summary>
    private static (double Loss, Tensor? Gradient) Head(Decoder decoder, TokenBatch batch, Tensor output)
    {
        using var inner = NewDisposeScope();
        var summed = decoder.Loss(decoder.Norm(output.requires_grad_()), batch);
        double loss = summed.item<float>();
        return (loss, double.IsFinite(loss) ? autograd.grad([summed], [output])[0].MoveToOuterDisposeScope() : null);
    }
}
