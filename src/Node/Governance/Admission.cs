using System.Text;
using FedChain.Protocol;
using FedChain.Protocol.Envelope;
using FedChain.Protocol.Ethereum.Contracts;
using FedChain.Protocol.Manifests;
using FedChain.Protocol.Rounds;

namespace FedChain.Node.Governance;

/// <summary>What speaks against admitting an application, as a board should know it before it votes.</summary>
/// <param name="Profile">The applicant's profile; null where it can't be read.</param>
/// <param name="Faults">What no board can want: the seat would be useless, or admission would fail.</param>
/// <param name="Differences">What a board may have a reason for: another model than the policy's now.</param>
public sealed record Admission(Applied Application, Profile? Profile, IReadOnlyList<string> Faults, IReadOnlyList<string> Differences)
{
    public static Admission Of(Applied application, FederationState federation)
    {
        var faults = new List<string>();
        Profile? profile = null;
        try
        {
            profile = Profile.Parse(Encoding.UTF8.GetBytes(application.Profile));
            faults.AddRange(profile.Age.Select(FaultOf).OfType<string>());
        }
        catch (InvalidDataException e)
        {
            faults.Add($"its profile can't be read: {VisibleText.Line(e.Message)}");
        }

        foreach (var (role, address) in new[] { ("holder", application.Holder), ("operator", application.Operator) })
        {
            if (federation.Seats.Values.FirstOrDefault(s => s.Holder == address || s.Operator == address) is { } seat)
            {
                faults.Add($"its {role} {address} belongs to seat {seat.Id} already");
            }
        }

        return new Admission(application, profile, faults, [.. Differing(profile, PolicyOf(federation.LatestPolicy))]);
    }

    /// <summary>Null where the JSON isn't a policy that this version reads.</summary>
    public static Policy? PolicyOf(PolicySet? policy)
    {
        try
        {
            return policy is null ? null : Policy.Parse(Encoding.UTF8.GetBytes(policy.Json));
        }
        catch (InvalidDataException)
        {
            return null;
        }
    }

    private static IEnumerable<string> Differing(Profile? profile, Policy? policy)
    {
        if (profile is null || policy is null)
        {
            yield break;
        }

        if (profile.BaseModel != policy.BaseModel)
        {
            yield return $"its base model is {profile.BaseModel}, the policy's {policy.BaseModel}";
        }

        if (profile.AdapterConfig != policy.Adapter.Digest)
        {
            yield return $"its adapter configuration is {profile.AdapterConfig}, the policy's {policy.Adapter.Digest}";
        }
    }

    private static string? FaultOf(string recipient)
    {
        try
        {
            AgeRecipient.Parse(recipient);
            return null;
        }
        catch (FormatException e)
        {
            return $"an age recipient is malformed: {VisibleText.Line(e.Message)}";
        }
    }
}
