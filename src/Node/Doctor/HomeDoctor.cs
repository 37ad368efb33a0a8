using FedChain.Node.Homes;
using FedChain.Protocol;
using FedChain.Protocol.Manifests;
using FedChain.Protocol.Rounds;

namespace FedChain.Node.Doctor;

/// <summary>What the doctor is told.</summary>
/// <param name="Home">The home to examine.</param>
/// <param name="PassphraseFile">Null: from the environment; keys are not tried if it isn't there either.</param>
/// <param name="Rpc">Instead of the home's.</param>
/// <param name="Federation">Instead of the home's.</param>
/// <param name="Rounds">For how many rounds the operator should be able to pay, from 1 on.</param>
internal sealed record DoctorOptions(HomeFolder Home, string? PassphraseFile, IReadOnlyList<string>? Rpc, Address? Federation, int Rounds);

/// <summary>Looks at all that an institution's peer needs. Changes nothing but the home's copy of the federation's log, sends nothing to the chain.</summary>
internal static class HomeDoctor
{
    public static async Task<DoctorReport> ExamineAsync(DoctorOptions options, TimeProvider time, CancellationToken cancellationToken)
    {
        var (checkup, home) = (new Checkup(), options.Home);
        using var keys = await HomeChecks.RunAsync(home, options.PassphraseFile, checkup);
        await using var session = await ChainChecks.RunAsync(home, options.Rpc, options.Federation, time, checkup, cancellationToken);
        var state = session?.Reader.State;
        Seat? seat = null;
        if (session is null)
        {
            checkup.Skip(SeatChecks.All, "needs the federation");
        }
        else
        {
            seat = await new SeatChecks(home, keys, session, options.Rounds, checkup).RunAsync(cancellationToken);
        }

        await MachineChecks.RunAsync(home, PolicyOf(state), state is null ? 0 : Math.Max(state.Seats.Count, state.Founders.Length), checkup, cancellationToken);
        await IpfsChecks.RunAsync(home.Settings, checkup, cancellationToken);
        await EndpointChecks.RunAsync(home, state, seat, time, checkup, cancellationToken);
        return new DoctorReport(home.Path, checkup.Checks);
    }

    private static Policy? PolicyOf(FederationState? state)
    {
        try
        {
            return state?.LatestPolicy is { } policy ? Policy.Parse(System.Text.Encoding.UTF8.GetBytes(policy.Json)) : null;
        }
        catch (InvalidDataException)
        {
            return null; // voted in by another version; the checks that need it say that it isn't known
        }
    }
}
