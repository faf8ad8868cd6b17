// SPDX-License-Identifier: MIT
import Platform
import Store

/// From the database to memory, at the start and after a restore.
extension Gateway {
  /// Takes over what a restore has put into the database, in the place of all that was there.
  ///
  /// Requests under way go on with what they have; a login from before is of no use any more.
  func replaceAll(with state: RestoredState) {
    forget()
    jwtSecret = state.loginSecret
    load(state.snapshot, state.hours)
  }

  /// Empties what `load` fills.
  private func forget() {
    accounts.removeAll()
    logins.removeAll()
    channels.removeAll()
    channelGroups.removeAll()
    userGroups.removeAll()
    modelFallbacks = ModelFallbacks()
    options = Options()
    rates = RateLimiter()
  }

  /// Whether root still has the password that everybody knows.
  var hasFirstPassword: Bool {
    accounts.users.values.contains { $0.record.role == .root && $0.record.mustChangePassword }
  }

  /// Finds out where days begin, and says so.
  func loadZone() {
    if !configuration.timeZone.isEmpty, let found = TimeZone(configuration.timeZone) {
      zone = found
      return sayZone(configuration.timeZone, configuration.origin(of: "time_zone").place)
    }
    guard let found = SystemTimeZone.find() else { return sayZone("UTC", "default") }
    zone = found.zone
    sayZone(found.rule, found.place)
  }

  private func sayZone(_ name: ByteString, _ place: ByteString) {
    zoneName = name
    log.write(.info) { line in
      line.append("days begin by the time zone ")
      line.append(name)
      line.append(" (")
      line.append(place)
      line.append(")")
    }
  }

  /// Takes over what was stored; what no longer fits is left out and logged.
  func load(_ snapshot: Snapshot, _ hours: [Int64: BucketSeries]) {
    for user in snapshot.users { accounts.put(user) }
    for token in snapshot.tokens {
      do throws(FieldError) {
        try accounts.put(token)
      } catch {
        log.error("token \(token.id) is left out: \(error.sentence.text)")
      }
    }
    for group in snapshot.channelGroups { channelGroups.put(group) }
    for group in snapshot.userGroups { userGroups.put(group) }
    prices.replace(snapshot.prices)
    logins.load(snapshot)
    admin.measuredPasswordRounds = PasswordCost.kept(
      snapshot.options.first { $0.name == PasswordCost.optionName }?.value)
    loadModelFallbacks(snapshot.options)
    loadOptions(snapshot.options)
    for (record, error) in channels.load(secrets.opened(snapshot.channels, log: log)) {
      log.error("channel \(record.id) \(record.name.text) is left out: \(error.sentence.text)")
    }
    for (id, hours) in hours { channels.find(id)?.statistics.restore(hours) }
    channels.changed = { [self] in accessTokens.forgetReplaced() }
  }

  private func loadOptions(_ stored: [OptionRecord]) {
    guard let option = stored.first(where: { $0.name == OptionInput.optionName }) else { return }
    let (loaded, problems) = OptionInput.load(option.value, userGroups)
    options = loaded
    for problem in problems {
      log.error("stored options are left out where they do not fit: \(problem.text)")
    }
  }

  private func loadModelFallbacks(_ options: [OptionRecord]) {
    guard let option = options.first(where: { $0.name == ModelFallbacks.optionName })
    else { return }
    do throws(FieldError) {
      modelFallbacks = try ModelFallbacks(option.value)
    } catch {
      log.error("model fallbacks are left out: \(error.sentence.text)")
    }
  }
}
