// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.37;

import {IRounds} from "../interfaces/IRounds.sol";
import {Preimages} from "./Preimages.sol";
import {Quorum} from "./Quorum.sol";

/// @title The policy that was set, the one in force, and the base that rounds start from
/// @notice What is set waits for the next opening; the running round keeps the windows and the minimum that it was opened with.
library Policies {
    /// @dev The parameters in one slot, with the last round that they allow.
    /// | lastRound 56 | rounds 24 | maxTurns 8 | minimum 32 | interval 32 | attesting 32 | publishing 32 | training 32 |
    struct Terms {
        uint32 training;
        uint32 publishing;
        uint32 attesting;
        uint32 interval;
        uint32 minimum;
        uint8 maxTurns;
        uint24 rounds;
        uint56 lastRound;
    }

    struct State {
        // Set last
        bytes32 policy;
        bytes32 genesis;
        Terms terms;
        // In force; zero before the first opening
        bytes32 inForce;
        bytes32 genesisInForce;
        bytes32 base;
        /// Rounds that the base has gone through since the genesis in force.
        uint32 finalised;
        bool paused;
        /// Set with the first policy: this slot is never empty, so no round pays for a new one.
        bool set;
    }

    struct Opening {
        bytes32 policy;
        bytes32 base;
        uint256 finalised;
        uint256 minimum;
        Terms terms;
    }

    uint256 private constant LONGEST = 30 days;
    uint256 private constant MOST_TURNS = 8;

    /// @param number The current round: it is not counted among those that the policy allows.
    function replace(State storage self, string memory json, IRounds.Params memory params, bytes32 genesis, uint256 number)
        internal
        returns (bytes32 hash)
    {
        _check(params, genesis);
        hash = Preimages.policy(json, params, genesis);
        (self.policy, self.genesis, self.set) = (hash, genesis, true);
        self.terms = Terms({
            training: params.training,
            publishing: params.publishing,
            attesting: params.attesting,
            interval: params.interval,
            minimum: params.minimum,
            maxTurns: params.maxTurns,
            rounds: params.rounds,
            lastRound: uint56(number + params.rounds)
        });
    }

    /// @dev Lets the policy's rounds begin after another number.
    function restAfter(State storage self, uint256 number) internal {
        self.terms.lastRound = uint56(number + self.terms.rounds);
    }

    /// @dev Puts the policy in force for round `number`, which `members` members may submit to.
    /// @param aggregate The result of the round before; 0 if it had none.
    function next(State storage self, bytes32 aggregate, uint256 number, uint256 members) internal returns (Opening memory opening) {
        if (self.paused) revert IRounds.OpeningPaused();
        Terms memory terms = self.terms;
        if (number > terms.lastRound) revert IRounds.Resting(terms.lastRound);
        uint256 minimum = Quorum.updates(members, terms.minimum);
        if (members < minimum) revert IRounds.TooFewMembers(members, minimum);
        (opening.terms, opening.minimum) = (terms, minimum);

        bytes32 policy = self.policy;
        bool restart = false;
        if (policy != self.inForce) {
            self.inForce = policy;
            restart = self.genesis != self.genesisInForce;
        }
        opening.policy = policy;
        if (restart) {
            opening.base = self.genesis;
            (self.genesisInForce, self.base, self.finalised) = (opening.base, opening.base, 0);
        } else if (aggregate != 0) {
            opening.base = aggregate;
            opening.finalised = self.finalised + 1;
            (self.base, self.finalised) = (aggregate, uint32(opening.finalised));
        } else {
            (opening.base, opening.finalised) = (self.base, self.finalised);
        }
    }

    function requireInForce(State storage self, bytes32 policy, bytes32 base) internal view {
        if (policy != self.inForce) revert IRounds.WrongPolicy(self.inForce, policy);
        if (base != self.base) revert IRounds.WrongBase(self.base, base);
    }

    function _check(IRounds.Params memory params, bytes32 genesis) private pure {
        _bound("training", params.training, 1, LONGEST);
        _bound("publishing", params.publishing, 1, LONGEST);
        _bound("attesting", params.attesting, 1, LONGEST);
        _bound("interval", params.interval, 0, LONGEST);
        _bound("minimum", params.minimum, 1, type(uint32).max);
        _bound("maxTurns", params.maxTurns, 1, MOST_TURNS);
        _bound("rounds", params.rounds, 1, type(uint24).max);
        if (genesis == 0) revert IRounds.EmptyGenesis();
    }

    function _bound(string memory param, uint256 value, uint256 least, uint256 most) private pure {
        if (value < least || value > most) revert IRounds.ParamOutOfBounds(param, value, least, most);
    }
}
