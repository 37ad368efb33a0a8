namespace FedChain.Protocol.Governance;

/// <summary>Where a federation's three contracts are: what a proposal's calls can be meant for.</summary>
public sealed record FederationContracts(Address Membership, Address Governance, Address Rounds);
