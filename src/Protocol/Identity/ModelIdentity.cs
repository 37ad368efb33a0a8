using System.Text;
using FedChain.Protocol.Manifests;
using FedChain.Protocol.Rounds;

namespace FedChain.Protocol.Identity;

/// <summary>One institution's language model as its profile names it: a base model and the shape of the adapter on it.</summary>
/// <param name="Id">See <see cref="ModelId"/>.</param>
/// <param name="BaseModel">Digest of the base model.</param>
/// <param name="AdapterConfig">Digest of the adapter configuration.</param>
public sealed record ModelIdentity(Hash256 Id, Hash256 BaseModel, Hash256 AdapterConfig)
{
    /// <summary>The model that a profile names; null if the profile is missing or can't be read, for then it names none.</summary>
    /// <param name="chain">The chain's id.</param>
    /// <param name="membership">The Membership contract.</param>
    /// <param name="member">Whose profile it is.</param>
    /// <param name="profile">As published.</param>
    public static ModelIdentity? Of(ulong chain, Address membership, MemberId member, string? profile)
    {
        try
        {
            return profile is null ? null : Of(chain, membership, member, Profile.Parse(Encoding.UTF8.GetBytes(profile)));
        }
        catch (InvalidDataException)
        {
            return null; // its author's mistake, which takes nothing from others
        }
    }

    public static ModelIdentity Of(ulong chain, Address membership, MemberId member, Profile profile) =>
        new(ModelId.Of(chain, membership, member, profile.BaseModel, profile.AdapterConfig), profile.BaseModel, profile.AdapterConfig);

    /// <summary>The model that a member's update of a round came from, or that a global adapter is linked to by it: by the profile at the round's opening.</summary>
    public static ModelIdentity? Of(ulong chain, Address membership, MemberId member, RoundState round) =>
        Of(chain, membership, member, round.Profiles.GetValueOrDefault(member));
}
