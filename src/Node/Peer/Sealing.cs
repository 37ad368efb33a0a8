using FedChain.Network;
using FedChain.Node.Homes;
using FedChain.Protocol.Envelope;
using FedChain.Protocol.Manifests;
using FedChain.Protocol.Rounds;

namespace FedChain.Node.Peer;

/// <summary>To whom a round's files are sealed, and how a file is sealed.</summary>
public static class Sealing
{
    /// <summary>The members counted at the round's opening, in order of ids, then the auditors: everybody entitled, less broken entries by rule.</summary>
    /// <param name="postQuantum">Whether the round's policy requires post-quantum recipients.</param>
    public static RecipientSelection RecipientsOf(RoundState round, bool postQuantum)
    {
        var members = round.Seats.Keys.Select(id => AgeOf(round.Profiles.GetValueOrDefault(id)));
        var auditors = round.Auditors.Values.Select(recipient => (IReadOnlyList<string>)[recipient]);
        return RecipientSelection.From(members.Concat(auditors), postQuantum);
    }

    /// <summary>Seals a file. A crash leaves nothing, or the whole.</summary>
    public static async Task SealAsync(string plaintext, string destination, IReadOnlyCollection<AgeRecipient> recipients, CancellationToken cancellationToken)
    {
        if (recipients.Count == 0)
        {
            throw new UserErrorException("No member's profile has a usable age recipient (under a policy with postQuantum: a post-quantum one, age1pq1…), so nothing can be sealed. Each member publishes its own with its profile.");
        }

        var temporary = destination + AtomicFile.Unfinished;
        try
        {
            await using (var file = File.Create(temporary))
            {
                await using var source = File.OpenRead(plaintext);
                await using (var age = new AgeWriter(file, recipients, leaveOpen: true))
                {
                    await source.CopyToAsync(age, cancellationToken);
                    await age.CompleteAsync(cancellationToken);
                }

                file.Flush(flushToDisk: true);
            }

            Crash.At(CrashPoint.SealedFileWritten);
            AtomicFile.Replace(temporary, destination);
        }
        catch
        {
            File.Delete(temporary); // on a full disk it would be in the way
            throw;
        }
    }

    /// <summary>The age entries of a profile; none if the profile can't be read.</summary>
    internal static IReadOnlyList<string> AgeOf(string? profile) => ProfileOf(profile)?.Age ?? [];

    /// <summary>The content endpoints that a member publishes; none if its profile can't be read.</summary>
    internal static IReadOnlyList<Uri> EndpointsOf(string? profile)
    {
        var endpoints = new List<Uri>();
        foreach (var text in ProfileOf(profile)?.Endpoints ?? [])
        {
            if (Uri.TryCreate(text, UriKind.Absolute, out var uri) && (uri.Scheme == Uri.UriSchemeHttp || uri.Scheme == Uri.UriSchemeHttps))
            {
                endpoints.Add(uri);
            }
        }

        return endpoints;
    }

    internal static Profile? ProfileOf(string? profile)
    {
        try
        {
            return profile is null ? null : Profile.Parse(System.Text.Encoding.UTF8.GetBytes(profile));
        }
        catch (InvalidDataException)
        {
            return null; // a member's own mistake; the rules go on without it
        }
    }
}
