using System.Diagnostics;
using FedChain.Node.Homes;
using FedChain.Node.Peer;
using FedChain.Protocol;

namespace FedChain.EndToEnd.Tests;

/// <summary>Disks that are full, read-only or lie about what was written: real ones, as far as this user may mount them.</summary>
public sealed class DiskTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(8);

    [Fact]
    public async Task A_full_disk_is_told_before_training_and_after_it_and_costs_nothing_once_there_is_room()
    {
        using var disk = SmallDisk.Mount();
        await using var federation = await TestFederation.FoundAsync(members: 3, rounds: 1, steps: 1);
        using var patience = Limit();
        var home = disk.Take(federation.HomeOf(0));
        disk.Fill(leave: 524_288);
        var trainer = new IntegerTrainer(federation.Layout, 1);
        await using var member = await RunningPeer.StartAsync(home, federation.Passphrase, trainer, patience.Token);
        await using var second = await RunningPeer.StartAsync(federation.HomeOf(1), federation.Passphrase, new IntegerTrainer(federation.Layout, 2), patience.Token);
        await TroubleAsync(member);
        Assert.DoesNotContain(member.Events, e => e is PeerEvent.Trained or PeerEvent.Submitted);

        disk.Free();
        await member.SeenAsync<PeerEvent.Submitted>();
        await second.SeenAsync<PeerEvent.Submitted>();
        var before = member.Events.Count;
        disk.Fill(leave: 524_288);
        await using var third = await RunningPeer.StartAsync(federation.HomeOf(2), federation.Passphrase, new IntegerTrainer(federation.Layout, 3), patience.Token);
        await third.SeenAsync<PeerEvent.Submitted>(); // the last: now everybody has to store what the others trained
        await TroubleAsync(member, before);
        Assert.True(member.IsRunning);
        disk.Free();
        Assert.True((await member.SeenAsync<PeerEvent.RoundEnded>()).Finalised);
        Assert.Equal(3, (await member.SeenAsync<PeerEvent.HoldingsSigned>()).Held);
        await member.DisposeAsync();
        (await Fedchain.RunAsync("store", "verify", "--home", home.Path)).RequireDone();
    }

    [Fact]
    public async Task On_a_disk_that_can_not_be_written_it_does_not_start_and_says_why()
    {
        using var disk = SmallDisk.Mount();
        await using var federation = await TestFederation.FoundAsync(members: 2, rounds: 1, steps: 1);
        var home = disk.Take(federation.HomeOf(0));
        home.Lock().Dispose();
        disk.MakeReadOnly();
        var outcome = await Fedchain.RunAsync(federation.Passphrase, ["node", "--home", home.Path]);
        outcome.RequireRefusal("mounted read-only");
        Assert.DoesNotContain("another process", outcome.Errors, StringComparison.Ordinal);
        (await Fedchain.RunAsync("node", "pause", "--home", home.Path)).RequireRefusal("mounted read-only");
    }

    [Fact]
    public async Task A_limit_on_the_size_of_files_is_a_failed_write_and_no_death()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "RLIMIT_FSIZE is tried on Linux.");
        using var folder = new TemporaryFolder();
        var start = new ProcessStartInfo("sh", ["-c", "ulimit -f 1; exec \"$@\"", "sh", Fedchain.Path, "init", "--home", folder["home"], "--name", new string('x', 2000), "--listen", "127.0.0.1:7420", "--endpoint", "http://127.0.0.1:7420"])
        {
            UseShellExecute = false,
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        };
        start.Environment[Passphrase.Variable] = "a passphrase";
        start.Environment["DOTNET_EnableWriteXorExecute"] = "0"; // for which the runtime makes a large file in memory
        using var process = Process.Start(start)!;
        var errors = await process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(1, process.ExitCode);
        Assert.Contains("ulimit -f", errors, StringComparison.Ordinal);
        Assert.False(Directory.Exists(folder["home"]));
    }

    [Theory]
    [InlineData("half")]
    [InlineData("empty")]
    [InlineData("zeros")]
    public async Task Whatever_a_power_failure_tears_is_put_aside_and_had_again(string tear)
    {
        await using var federation = await TestFederation.FoundAsync(members: 3, rounds: 2, steps: 1, Node.Demo.DemoDefaults.Params(2) with { Interval = 600 });
        using var control = new AnvilControl(federation.Chain.RpcUrl);
        using var patience = Limit();
        var home = federation.HomeOf(0);
        await RunAsync(federation, async peers =>
        {
            foreach (var peer in peers)
            {
                Assert.True((await peer.SeenAsync<PeerEvent.RoundEnded>(e => e.Round == 1)).Finalised);
            }

            await peers[0].SeenAsync<PeerEvent.UpdateHeld>();
        }, patience.Token);
        var torn = 0;
        foreach (var file in Directory.EnumerateFiles(home.Path, "*", SearchOption.AllDirectories).Where(f => !IsSacred(home, f)).ToList())
        {
            var bytes = await File.ReadAllBytesAsync(file, patience.Token);
            await File.WriteAllBytesAsync(file, tear switch { "half" => bytes[..(bytes.Length / 2)], "empty" => [], _ => new byte[bytes.Length] }, patience.Token);
            torn++;
        }

        Assert.True(torn > 15, $"{torn} files"); // blocks, adapter, updates, facts of the round, both databases
        await control.AdvanceAsync(600);
        await RunAsync(federation, async peers =>
        {
            Assert.True((await peers[0].SeenAsync<PeerEvent.RoundEnded>(e => e.Round == 2)).Finalised);
            Assert.Contains(peers[0].Events, e => e is PeerEvent.Trouble { Reason: var reason } && reason.Contains("It was put aside as ", StringComparison.Ordinal));
        }, patience.Token);

        await federation.Reader.ReadAsync(patience.Token);
        var round = federation.Reader.State.Round(new RoundId(2))!;
        Assert.Equal([1u, 2u, 3u], round.Submissions.Select(s => s.Member.Value).Order());
        Assert.NotNull(round.Winner);
        Assert.True(File.Exists(home.AdapterFile(round.Winner.Aggregate)));
        Assert.Empty((await LandedCalls.ReadAsync(federation.Chain.RpcUrl, patience.Token)).Repeated);
    }

    /// <summary>What can't be made or fetched again: settings and keys. They are written once, and a torn one is refused by name (see the tests of homes).</summary>
    private static bool IsSacred(HomeFolder home, string file) =>
        Path.GetRelativePath(home.Path, file) is var name && (name is HomeFolder.SettingsFile or "lock" || name.StartsWith("keys", StringComparison.Ordinal));

    private static async Task RunAsync(TestFederation federation, Func<IReadOnlyList<RunningPeer>, Task> act, CancellationToken cancellation)
    {
        var peers = new List<RunningPeer>();
        try
        {
            for (var i = 0; i < federation.Members.Count; i++)
            {
                peers.Add(await RunningPeer.StartAsync(federation.HomeOf(i), federation.Passphrase, new IntegerTrainer(federation.Layout, i + 1), cancellation));
            }

            await act(peers);
        }
        finally
        {
            foreach (var peer in peers)
            {
                await peer.DisposeAsync();
            }
        }
    }

    private static async Task TroubleAsync(RunningPeer peer, int after = 0)
    {
        await peer.SeenAsync<PeerEvent.Trouble>(e => e.Reason.Contains("The disk is full. What is there is unharmed", StringComparison.Ordinal) && peer.Events.ToList().IndexOf(e) >= after);
    }

    private static CancellationTokenSource Limit()
    {
        var source = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        source.CancelAfter(Patience);
        return source;
    }

    /// <summary>A file system of its own in memory, which only root may mount.</summary>
    private sealed class SmallDisk : IDisposable
    {
        private const long Size = 64 << 20;

        private readonly TemporaryFolder _folder = new();

        private string Path => _folder["disk"];

        private string Ballast => System.IO.Path.Combine(Path, "ballast");

        public static SmallDisk Mount()
        {
            Assert.SkipUnless(OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess, "Only root may mount a file system to try a full disk on.");
            var disk = new SmallDisk();
            Directory.CreateDirectory(disk.Path);
            if (Run("mount", "-t", "tmpfs", "-o", $"size={Size}", "tmpfs", disk.Path) is { } fault)
            {
                disk._folder.Dispose();
                Assert.Skip($"No file system can be mounted here: {fault}");
            }

            return disk;
        }

        /// <summary>Moves a home there.</summary>
        public HomeFolder Take(HomeFolder home)
        {
            var path = System.IO.Path.Combine(Path, "home");
            Assert.Null(Run("cp", "-a", home.Path, path));
            return HomeFolder.Open(path);
        }

        public void Fill(long leave)
        {
            using var file = File.OpenWrite(Ballast);
            var piece = new byte[4096];
            for (var free = new DriveInfo(Path).AvailableFreeSpace; free > leave; free -= piece.Length)
            {
                file.Write(piece);
            }
        }

        public void Free() => File.Delete(Ballast);

        public void MakeReadOnly() => Assert.Null(Run("mount", "-o", "remount,ro", Path));

        public void Dispose()
        {
            Run("umount", "--lazy", Path);
            _folder.Dispose();
        }

        private static string? Run(string program, params string[] arguments)
        {
            using var process = Process.Start(new ProcessStartInfo(program, arguments) { UseShellExecute = false, RedirectStandardError = true })!;
            var errors = process.StandardError.ReadToEnd();
            process.WaitForExit();
            return process.ExitCode == 0 ? null : errors.Trim();
        }
    }
}
