// SPDX-License-Identifier: MIT
import Platform
import Store

/// The channels of one group that serve one model, and whose turn it is.
///
/// The highest priority that has a usable channel is taken first; the group's strategy chooses
/// among its channels.
final class Rotation {
  /// Parts of a turn that a lag is counted in, so that rounding does not matter.
  private static let turnParts: Int64 = 1 << 16

  let channels: [Channel]
  /// How far each channel is behind its share, in parts of its weight: what smooth weighted
  /// round robin keeps.
  private var lags: [Int64]
  /// Sum of the weights that the lags are relative to.
  private var lagTotal: Int64 = 0
  /// Which channels take part in the choice being made; kept to save an allocation.
  private var isCandidate: [Bool]
  /// Which channels the last turn was counted for.
  private var tookPart: [Bool]
  private var dice: UInt64

  /// `old`: the rotation that this one replaces; the lags of channels in both go on.
  init(_ channels: [Channel], replacing old: Rotation? = nil, seed: UInt64 = Random.number()) {
    self.channels = channels
    lags = [Int64](repeating: 0, count: channels.count)
    isCandidate = [Bool](repeating: false, count: channels.count)
    tookPart = isCandidate
    dice = seed | 1
    guard let old else { return }
    lagTotal = old.lagTotal
    for (index, channel) in channels.enumerated() {
      if let known = old.channels.firstIndex(where: { $0.id == channel.id }) {
        lags[index] = old.lags[known]
      }
    }
  }

  /// A rotation to play with.
  struct Copy {
    let original: Rotation
    let rotation: Rotation

    init(of original: Rotation) {
      self.original = original
      rotation = Rotation(original.channels, replacing: original)
    }
  }

  /// Chooses among the channels that are usable; nil when none is.
  ///
  /// `stickyHash`: the same hash leads to the same channel as long as that one is usable.
  /// - Returns: the channel, and how many could have been chosen in its place.
  func next(
    _ strategy: BalancingStrategy, at now: Instant, stickyHash: UInt64? = nil,
    where isUsable: (Channel) -> Bool
  ) -> (channel: Channel, alternatives: Int)? {
    // A single channel has every turn, whatever the strategy.
    if channels.count == 1 { return isUsable(channels[0]) ? (channels[0], 0) : nil }
    var priority = Int64.min
    var usable = 0
    for (index, channel) in channels.enumerated() {
      isCandidate[index] = isUsable(channel)
      guard isCandidate[index] else { continue }
      usable += 1
      priority = max(priority, channel.record.priority)
    }
    guard usable > 0 else { return nil }
    var first = -1
    var count = 0
    for (index, channel) in channels.enumerated() where isCandidate[index] {
      isCandidate[index] = channel.record.priority == priority
      guard isCandidate[index] else { continue }
      count += 1
      if first < 0 { first = index }
    }
    // Also with one candidate left a turn is counted: the others keep what they are owed.
    let chosen: Int
    if let stickyHash, count > 1 {
      chosen = sticky(stickyHash)
    } else {
      chosen = choose(strategy, first, at: now)
    }
    return (channels[chosen], usable - 1)
  }

  private func choose(_ strategy: BalancingStrategy, _ first: Int, at now: Instant) -> Int {
    switch strategy {
    case .weightedRoundRobin: return smoothRoundRobin(first)
    case .weightedRandom: return weightedRandom(first)
    case .priority:
      // Channels are in the order of their ids: of equal weights the lowest id stays.
      return best(first) { $0.record.weight > $1.record.weight }
    case .leastLatency:
      return best(first) { Rotation.latency($0, at: now) < Rotation.latency($1, at: now) }
    case .leastBusy:
      keepLeastBusy(first)
      return smoothRoundRobin(isCandidate.firstIndex(of: true) ?? first)
    }
  }

  /// The first candidate that no other precedes.
  private func best(_ first: Int, _ precedes: (Channel, Channel) -> Bool) -> Int {
    var best = first
    for index in channels.indices where isCandidate[index] {
      if precedes(channels[index], channels[best]) { best = index }
    }
    return best
  }

  /// Smooth weighted round robin: 90 and 10 give nine and one in any ten, as evenly as possible.
  ///
  /// Each turn every candidate gains its weight and the chosen one loses the sum. Who is no
  /// candidate keeps what it is owed, so that a retry without one channel costs nobody a turn.
  private func smoothRoundRobin(_ first: Int) -> Int {
    var total: Int64 = 0
    var hasChanged = false
    for (index, channel) in channels.enumerated() {
      if tookPart[index] != isCandidate[index] { hasChanged = true }
      tookPart[index] = isCandidate[index]
      if isCandidate[index] { total += channel.record.weight }
    }
    if hasChanged || total != lagTotal { adjustLags(to: total) }
    var chosen = first
    for index in channels.indices where isCandidate[index] {
      lags[index] += channels[index].record.weight * Rotation.turnParts
      if lags[index] > lags[chosen] { chosen = index }
    }
    lags[chosen] -= total * Rotation.turnParts
    return chosen
  }

  /// Candidates have come or gone: lags go on meaning parts of a turn of the new sum, and nobody
  /// is owed more than one turn, or owes more.
  ///
  /// Without the bound those that serve last while others are busy would be owed several turns,
  /// and then get them all at once.
  private func adjustLags(to total: Int64) {
    let turn = total * Rotation.turnParts
    for index in lags.indices {
      if lagTotal > 0, lagTotal != total {
        let scaled = lags[index].multipliedReportingOverflow(by: total)
        lags[index] = scaled.overflow ? 0 : scaled.partialValue / lagTotal
      }
      lags[index] = min(max(lags[index], -turn), turn)
    }
    lagTotal = total
  }

  private func weightedRandom(_ first: Int) -> Int {
    var total: Int64 = 0
    for (index, channel) in channels.enumerated() where isCandidate[index] {
      total += channel.record.weight
    }
    var left = Int64(roll() % UInt64(max(total, 1)))
    for index in channels.indices where isCandidate[index] {
      left -= channels[index].record.weight
      if left < 0 { return index }
    }
    return first
  }

  /// Leaves as candidates only those with the fewest open requests for their weight.
  private func keepLeastBusy(_ first: Int) {
    let least = best(first) { Rotation.isLessBusy($0, $1) }
    for index in channels.indices where isCandidate[index] {
      isCandidate[index] = !Rotation.isLessBusy(channels[least], channels[index])
    }
  }

  private static func isLessBusy(_ one: Channel, _ other: Channel) -> Bool {
    one.health.openRequests * other.record.weight < other.health.openRequests * one.record.weight
  }

  /// What a channel's latency counts as: one that was not measured lately goes first, once, and
  /// last while its measurement is under way.
  private static func latency(_ channel: Channel, at now: Instant) -> Int64 {
    let health = channel.health
    if health.hasLatency(at: now) { return health.firstByteMicroseconds }
    return health.openRequests == 0 ? -1 : .max
  }

  /// Weighted rendezvous hashing: the highest draw wins, and each draws as often as it weighs.
  ///
  /// The draws follow from the hash and the channel's id. Nothing is stored, and when a channel
  /// goes only its own conversations move.
  ///
  /// Source: Thaler, Ravishankar, "Using name-based mappings to increase hit rates", 1998.
  private func sticky(_ hash: UInt64) -> Int {
    var chosen = 0
    var highest: UInt64 = 0
    for index in channels.indices where isCandidate[index] {
      let channel = channels[index]
      var draw = Rotation.mixed(hash ^ UInt64(bitPattern: channel.id &* 0x2545_F491_4F6C_DD1D))
      for _ in 0..<channel.record.weight {
        draw = Rotation.mixed(draw)
        if draw >= highest {
          highest = draw
          chosen = index
        }
      }
    }
    return chosen
  }

  /// Splitmix64's finisher: spreads a number over all 64 bits.
  ///
  /// Source: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014.
  private static func mixed(_ value: UInt64) -> UInt64 {
    var mixed = value &+ 0x9E37_79B9_7F4A_7C15
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }

  private func roll() -> UInt64 {
    dice &+= 0x9E37_79B9_7F4A_7C15
    return Rotation.mixed(dice)
  }
}
