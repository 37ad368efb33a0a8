using System.Collections.Immutable;
using FedChain.Protocol.Files;
using FedChain.Protocol.Manifests;

namespace FedChain.Node.Study;

/// <summary>One way to come to a model: what a study compares. All methods get the same number of local steps.</summary>
/// <param name="Name">Short, unique in a study.</param>
/// <param name="LearningRate">AdamW's peak; half a cosine over all steps of the run.</param>
public abstract record StudyMethod(string Name, double LearningRate)
{
    /// <summary>
    /// Share of the local steps, from 0 to below 1, that each member keeps for itself: after the last shared step it goes on from the common adapter on its
    /// own records, to an adapter that it doesn't share.
    /// </summary>
    public double PersonalShare { get; init; }

    /// <summary>The personal steps' peak learning rate.</summary>
    public double PersonalLearningRate { get; init; } = LearningRate;

    /// <summary>Whether personal steps go on along the shared steps' learning-rate curve, rather than along one of their own from <see cref="PersonalLearningRate"/> on.</summary>
    public bool KeepsCurve { get; init; }

    /// <summary>
    /// The adapter's rank, where the method asks for another than the study's. Not public, so that it isn't in the record's text: runs without one keep the
    /// fingerprints that they have always had.
    /// </summary>
    internal int? Rank { get; init; }

    /// <summary>Whether what members share and what each ends up with are two models.</summary>
    public virtual bool IsPersonal => PersonalShare > 0;

    /// <summary>The learning rate that a tuning searches for; 0 where there is nothing to tune. With personal steps along a curve of their own it is only theirs: the shared steps keep <see cref="LearningRate"/> as the method has it, and no tuning looks for another.</summary>
    public double Rate => HasOwnCurve ? PersonalLearningRate : LearningRate;

    /// <summary>The method with another <see cref="Rate"/>.</summary>
    public StudyMethod WithRate(double rate) => HasOwnCurve ? this with { PersonalLearningRate = rate } : this with { LearningRate = rate };

    /// <summary>The method's adapter: the study's, or one of the <see cref="Rank"/> asked for with the same alpha / rank.</summary>
    /// <exception cref="UserErrorException">No whole alpha in the range gives that.</exception>
    public AdapterConfig Adapted(AdapterConfig config)
    {
        if (Rank is not { } rank)
        {
            return config;
        }

        var (alpha, rest) = Math.DivRem((long)config.Alpha * rank, config.Rank);
        return rest == 0 && alpha <= AdapterConfig.MaxAlpha ? new(rank, (int)alpha, config.Targets, config.FractionBits, config.RsLora)
            : throw new UserErrorException(
                $"{Name}: alpha / rank stays {config.Alpha} / {config.Rank}, for which rank {rank} needs a whole alpha of at most {AdapterConfig.MaxAlpha}; it would be {(double)config.Alpha * rank / config.Rank:0.###}. Ask for another rank.");
    }

    private bool HasOwnCurve => PersonalShare > 0 && !KeepsCurve;

    /// <summary>The untouched base model: what gains are measured against.</summary>
    public sealed record Base() : StudyMethod("base", 0);

    /// <summary>Every institution trains for itself.</summary>
    public sealed record Alone(double LearningRate) : StudyMethod("alone", LearningRate);

    /// <summary>
    /// All records in one place, every institution's equally often: as many sequential steps as a member makes, each over as many records as all members
    /// together see in a step. What no federation can reach without moving records.
    /// </summary>
    public sealed record Centralised(double LearningRate) : StudyMethod("centralised", LearningRate);

    /// <summary>Rounds of local training and aggregation, by the very code that peers run.</summary>
    public sealed record Federated(string Name, double LearningRate) : StudyMethod(Name, LearningRate)
    {
        /// <summary>Factors that are trained, round after round.</summary>
        public ImmutableArray<Factors> Schedule { get; init; } = [Factors.Both];

        /// <summary>How updates become an adapter.</summary>
        public AggregationRule Rule { get; init; } = new AggregationRule.Mean(Weighting.Uniform);

        /// <summary>The policy's cap on weights.</summary>
        public long WeightCap { get; init; } = 1;

        /// <summary>How updates are written.</summary>
        public UpdateEncoding Encoding { get; init; } = UpdateEncoding.Int32;

        /// <summary>Whether a member's optimiser goes on from its last round's running means; else each round begins anew.</summary>
        public bool RemembersOptimiser { get; init; }

        /// <summary>FedProx's μ.</summary>
        public double Proximal { get; init; }

        /// <summary>
        /// Whether everybody's base weights take up what averaged factors leave out of the average of their products (FedEx-LoRA): exact, but what comes of it
        /// is no longer an adapter on the base model.
        /// </summary>
        public bool TakesUpResidual { get; init; }

        /// <summary>
        /// Whether each member has an adapter of its own beside the shared one, of the same rank: every local step trains both, and only the shared one is sent
        /// and averaged (as FedDPA's local adapter does, Yang et al., arXiv 2403.19211).
        /// </summary>
        public bool HasOwnBeside { get; init; }

        /// <summary>Share of the rounds, from 0 to below 1, before members' own adapters join in: until then the shared one learns by itself.</summary>
        public double OwnFrom { get; init; }

        public override bool IsPersonal => HasOwnBeside || base.IsPersonal;

        /// <summary>Whether the learning rate begins at its peak in every round, rather than fall along one curve over all of them.</summary>
        public bool CurvesEachRound { get; init; }

        /// <summary>Rounds, where the method asks for others than the study's; the steps stay the same in all.</summary>
        public int? Rounds { get; init; }
    }
}
