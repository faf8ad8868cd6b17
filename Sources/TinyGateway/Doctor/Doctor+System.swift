// SPDX-License-Identifier: MIT
import Platform

/// Clock, network, memory, kernel, port, password, channels.
extension Doctor {
  /// Seconds by which clock and upstreams may differ.
  private static let largestDifference: Int64 = 300

  mutating func judgeClock() {
    let ahead = facts.upstreamAheadSeconds ?? 0
    let isSet = facts.clockSeconds >= facts.buildSeconds
    line.append(isSet ? "the clock is plausible" : "the clock is behind this program's date")
    if !facts.hasRealTimeClock { line.append("; there is no clock chip") }
    let differs = ahead > Doctor.largestDifference || ahead < -Doctor.largestDifference
    if differs {
      line.append("; that of an upstream is ")
      line.append(decimal: ahead / 60)
      line.append(" minutes ahead")
    }
    if !isSet {
      return add(
        "clock", .error,
        "Enable NTP (sysntpd, ntpd, systemd-timesyncd); nothing expires until the time is set.")
    }
    if differs { return add("clock", .warning, "Check NTP and the time zone.") }
    add("clock", .ok)
  }

  mutating func judgeNetwork() {
    line.append("name servers: ")
    line.append(decimal: facts.nameServerCount)
    if facts.nameServerCount == 0 {
      add(
        "name_resolution", .warning,
        "Name one in /etc/resolv.conf, unless channels are given by address.")
    } else {
      add("name_resolution", .ok)
    }
    if facts.authoritiesProblem.isEmpty {
      line.append("upstreams are verified with ")
      line.append(facts.authorities)
      add("authorities", .ok)
    } else {
      line.append(facts.authoritiesProblem)
      add("authorities", .error, "Correct ca_file, or leave it out: there is a built-in set.")
    }
  }

  mutating func judgeMemory() {
    guard facts.memoryTotalByteCount > 0 else { return }
    let limit = facts.memoryLimitByteCount
    line.append("memory_limit_mb is ")
    line.append(decimal: limit >> 20)
    line.append(", ")
    append(size: facts.memoryAvailableByteCount)
    line.append(" of ")
    append(size: facts.memoryTotalByteCount)
    line.append(" are available")
    if limit > facts.memoryTotalByteCount {
      return add(
        "memory", .error, "Lower memory_limit_mb: the kernel would kill the gateway.")
    }
    if limit > facts.memoryAvailableByteCount + facts.residentByteCount {
      return add("memory", .warning, "Lower memory_limit_mb, or stop other programs.")
    }
    add("memory", .ok)
  }

  mutating func judgeKernel() {
    line.append("Linux ")
    line.append(facts.kernel)
    if facts.missingFeature.isEmpty { return add("kernel", .ok) }
    line.append(" lacks ")
    line.append(facts.missingFeature)
    add("kernel", .error, "Use a kernel with CONFIG_EPOLL, CONFIG_EVENTFD and CONFIG_SIGNALFD.")
  }

  mutating func judgePort() {
    line.append("port ")
    line.append(decimal: facts.portNumber)
    switch facts.port {
    case .ours:
      line.append(" is served by this gateway")
      add("port", .ok)
    case .free:
      line.append(" is free")
      add("port", .ok)
    case .taken where facts.isDatabaseInUse:
      line.append(" is in use, as is the database: a gateway runs")
      add("port", .ok)
    case .taken:
      line.append(" is in use by another program")
      add("port", .error, "Stop that program, or choose another port.")
    case .refused(let reason):
      line.append(" cannot be listened on: ")
      line.append(reason)
      add("port", .error, "Choose a port from 1024 on, and an address of this device.")
    }
  }

  mutating func judgePassword() {
    if facts.hasFirstPassword {
      line.append("root still has its first password")
      return add(
        "password", .error, "Log in and choose another, or type: tinygateway passwd")
    }
    line.append(
      facts.isDatabaseInUse
        ? "not looked at: the database is in use"
        : facts.hasDatabase ? "root has a password of its own" : "there are no accounts yet")
    add("password", .ok)
  }

  mutating func judgeUpstreams() {
    for upstream in facts.upstreams {
      line.append(upstream.name)
      line.append(" (")
      line.append(upstream.host)
      line.append(":")
      line.append(decimal: upstream.port)
      line.append(")")
      guard let failure = upstream.failure else {
        line.append(" is reached in ")
        line.append(decimal: upstream.milliseconds)
        line.append(" ms")
        add("channel", .ok)
        continue
      }
      line.append(" is not reached: ")
      line.append(failure)
      if upstream.maySleep {
        line.append("; it is woken when it is needed")
        add("channel", .ok)
      } else {
        add(
          "channel", .warning,
          "Check base_url, the network and firewalls; disable the channel if it is not used.")
      }
    }
  }
}
