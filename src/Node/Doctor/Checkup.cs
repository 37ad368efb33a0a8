using FedChain.Network.Chain;
using FedChain.Node.Cli;

namespace FedChain.Node.Doctor;

/// <summary>Takes down what an examination finds. A look that fails is a finding, not the end of the examination.</summary>
internal sealed class Checkup
{
    private readonly List<DoctorCheck> _checks = [];

    public IReadOnlyList<DoctorCheck> Checks => _checks;

    public void Ok(string name, string detail) => _checks.Add(new DoctorCheck(name, DoctorResult.Ok, detail, Advice: null));

    public void Warn(string name, string detail, string advice) => _checks.Add(new DoctorCheck(name, DoctorResult.Warning, detail, advice));

    public void Problem(string name, string detail, string advice) => _checks.Add(new DoctorCheck(name, DoctorResult.Problem, detail, advice));

    public void Skip(string name, string why) => _checks.Add(new DoctorCheck(name, DoctorResult.NotChecked, why, Advice: null));

    public void Skip(IEnumerable<string> names, string why)
    {
        foreach (var name in names)
        {
            Skip(name, why);
        }
    }

    /// <summary>Looks; a failure that can be explained becomes the problem <paramref name="name"/>.</summary>
    public Task TryAsync(string name, string advice, Func<Task> look) => FindAsync(name, advice, async () =>
    {
        await look();
        return this;
    });

    /// <summary>Likewise for a look that finds something that others need; null if it failed.</summary>
    public async Task<T?> FindAsync<T>(string name, string advice, Func<Task<T>> look)
        where T : class
    {
        try
        {
            return await look();
        }
        catch (Exception e) when (e is not OperationCanceledException && Explanation.Of(e) is { } explanation)
        {
            Problem(name, explanation, e is ChainException { IsTransient: true } ? "Run doctor again once the chain's node answers." : advice);
            return null;
        }
    }
}
