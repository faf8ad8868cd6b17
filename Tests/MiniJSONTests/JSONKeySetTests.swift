// SPDX-License-Identifier: MIT
import Testing

@testable import MiniJSON

struct JSONKeySetTests {
  @Test func knowsWhatItHasSeen() {
    var set = JSONKeySet()
    for round in 0..<3 {
      for hash in UInt64(0)..<10_000 {
        let isNew = set.insert(hash)
        if !isNew { Issue.record("\(hash) in round \(round)") }
      }
      for hash in UInt64(0)..<10_000 {
        let isNew = set.insert(hash)
        if isNew { Issue.record("\(hash) forgotten") }
      }
      set.removeAll()
    }
  }

  @Test func tellsSimilarKeysApart() {
    var set = JSONKeySet()
    var count = 0
    for first in UInt64(0)...255 {
      for second in UInt64(0)...255 {
        let hash = JSONKeySet.hash(JSONKeySet.hash(JSONKeySet.seed, adding: first), adding: second)
        if set.insert(hash) { count += 1 }
      }
    }
    #expect(count == 65_536)
  }

  @Test func tellsKeysApartThatDifferInTheHighestBits() {
    for start in UInt64(0)..<1000 {
      let seed = JSONKeySet.seed &+ start &* 0x1234_5678_9abc_def1
      let one = JSONKeySet.hash(
        JSONKeySet.hash(seed, adding: 0x3078_6966_6572_705f), adding: 0x3062_6262_3061_6161)
      let other = JSONKeySet.hash(
        JSONKeySet.hash(seed, adding: 0x7078_6966_6572_705f), adding: 0x7062_6262_7061_6161)
      if one == other { Issue.record("\(seed)") }
    }
  }
}
