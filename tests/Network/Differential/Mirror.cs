using FedChain.Protocol;
using FedChain.Protocol.Ethereum.Contracts;
using FedChain.Protocol.Governance;
using FedChain.Protocol.Rounds;

namespace FedChain.Network.Tests.Differential;

/// <summary>
/// The contracts as C# has them: says of each call what becomes of it. It stands on what peers stand on, <see cref="FederationState"/> folded from the
/// events, and adds the order in which calls are refused (docs/protocol.md, "Contracts"), the commitments, and the signs of life.
/// </summary>
internal sealed class Mirror
{
    private readonly Dictionary<Address, RoundsMirror> _rounds;

    public Mirror(Founding founding, Names? labels = null)
    {
        Names = labels ?? new Names();
        Seats = new SeatsMirror(this, founding.Holders);
        _rounds = new[] { Scene.Rounds, Scene.Successor }.ToDictionary(address => address, address => new RoundsMirror(this, address));
        InUse = _rounds[Scene.Rounds];
        Time = Scene.Start;
        Note(new(Scene.Membership, new FederationFounded(Scene.Governance, Scene.Rounds, SeatsMirror.FoundingEndsAt, [.. founding.Holders])));
        Note(new(Scene.Rounds, FirstPolicy(founding, Scene.FoundingJson, Scene.Genesis)));
        Note(new(Scene.Successor, FirstPolicy(founding, Scene.SuccessorJson, Scene.SuccessorGenesis)));
    }

    /// <summary>Of the latest call.</summary>
    public ulong Time { get; private set; }

    public Names Names { get; }

    public SeatsMirror Seats { get; }

    /// <summary>The Rounds that Membership names.</summary>
    public RoundsMirror InUse { get; private set; }

    /// <summary>The federation as its peers know it.</summary>
    public FederationState Federation => InUse.Fold;

    public RoundsMirror RoundsAt(Address address) => _rounds[address];

    /// <summary>What becomes of the call, which is then part of the past.</summary>
    public Outcome Execute(Operation operation)
    {
        Time = operation.Time;
        var outcome = _rounds.TryGetValue(operation.To, out var rounds) ? rounds.Predict(operation) : Seats.Predict(operation);
        if (outcome.Refusal is null)
        {
            foreach (var emission in outcome.Events)
            {
                Note(emission);
            }

            Seats.NoteActor(operation);
        }

        return outcome;
    }

    private static PolicySet FirstPolicy(Founding founding, string json, Hash256 genesis) =>
        new(ProposedAction.PolicyHash(json, founding.Params, genesis), Hash256.Zero, founding.Params, genesis, json);

    private void Note(Emission emission)
    {
        Names.Learn(emission.Event);
        if (_rounds.TryGetValue(emission.Emitter, out var rounds))
        {
            rounds.Note(emission.Event);
        }
        else if (emission.Event is RoundsReplaced replaced)
        {
            _rounds[replaced.Rounds].Succeed(InUse, replaced);
            InUse = _rounds[replaced.Rounds];
            Seats.Note(replaced);
        }
        else
        {
            InUse.NoteOfSeats(emission.Event);
            Seats.Note(emission.Event);
        }
    }
}
