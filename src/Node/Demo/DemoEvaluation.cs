using FedChain.Learning;
using FedChain.Learning.Data;
using FedChain.Learning.Examples;
using FedChain.Learning.Training;
using FedChain.Node.Peer;
using FedChain.Node.Training;
using FedChain.Protocol.Files;
using FedChain.Protocol.Manifests;

namespace FedChain.Node.Demo;

/// <summary>
/// What federating brought: for every institution, the test loss of the untouched base, of an adapter that it trained alone with the same steps, and of
/// the global adapter; on its own test and on the others'. Only a demonstration can compute this, since it alone has everybody's records.
/// </summary>
internal sealed class DemoEvaluation(CausalLanguageModel model, IReadOnlyList<PreparedData> institutions, Policy policy, LocalTraining training, int rounds)
{
    public EvaluationReport Run(Adapter federated, IReadOnlyList<ulong> seeds, Action<string> say, CancellationToken cancellationToken)
    {
        say("the base model on every test");
        model.DetachAdapter();
        var before = Losses(cancellationToken);
        var alone = new double[institutions.Count][];
        var first = Adapter.First(model.LayoutFor(policy.Adapter), policy.Seed, policy.Adapter.FractionBits);
        for (var i = 0; i < institutions.Count; i++)
        {
            say($"{institutions[i].Name} trains alone, {rounds} x {training.Steps} steps");
            model.AttachAdapter(policy.Adapter, first);
            var memories = Enum.GetValues<Factors>().ToDictionary(factors => factors, _ => new OptimiserMemory());
            for (var round = 1; round <= rounds; round++)
            {
                var options = training.For(policy.FactorsAt((ulong)round - 1), seeds[i], (ulong)round, new RoundsProgress(round - 1, rounds));
                model.TrainAdapter(institutions[i].Train, options, resumption: null, memories[options.Factors], progress: null, cancellationToken);
                model.ImportAdapter(model.ExportAdapter());
            }

            alone[i] = Losses(cancellationToken);
        }

        say("the federated adapter on every test");
        model.AttachAdapter(policy.Adapter, federated);
        var after = Losses(cancellationToken);
        model.DetachAdapter();

        var table = institutions.Select((institution, i) => new InstitutionEvaluation(
            institution.Name,
            new BeforeAndAfter(before[i], alone[i][i], after[i]),
            new BeforeAndAfter(MeanOfOthers(before, i), MeanOfOthers(alone[i], i), MeanOfOthers(after, i)))).ToList();
        return new EvaluationReport { Institutions = table, Weakest = table.MinBy(t => t.Own.FederatedGain)!.Name };
    }

    private static double MeanOfOthers(double[] losses, int own) => losses.Length == 1 ? double.NaN : losses.Where((_, j) => j != own).Average();

    private double[] Losses(CancellationToken cancellationToken) => [.. institutions.Select(i => Loss(i.Test, cancellationToken))];

    private double Loss(IReadOnlyList<TokenizedExample> test, CancellationToken cancellationToken) =>
        model.Evaluate(test, cancellationToken: cancellationToken).BitsPerByte ?? throw new InvalidDataException("A test record has an empty response.");
}
