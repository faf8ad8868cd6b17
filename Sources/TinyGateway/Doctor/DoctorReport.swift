// SPDX-License-Identifier: MIT
import MiniJSON
import Platform
import Store

extension Doctor {
  /// The findings for a terminal, one line each and one with what to do.
  var text: ByteString {
    let text = Buffer()
    var counts = [0, 0, 0]
    for finding in findings {
      counts[finding.level.rawValue] += 1
      let start = text.count
      text.append(finding.level.name)
      while text.count - start < 9 { text.append(" ") }
      text.append(finding.id)
      while text.count - start < 26 { text.append(" ") }
      text.append(finding.message)
      text.append("\n")
      if !finding.advice.isEmpty {
        text.append("           ")
        text.append(finding.advice)
        text.append("\n")
      }
    }
    AdminText.append(counts[2], "error", to: text)
    text.append(", ")
    AdminText.append(counts[1], "warning", to: text)
    text.append("\n")
    return text.byteString
  }

  /// The findings as the management API gives them.
  func write(to json: inout JSONWriter) {
    json.beginObject()
    json.member("status", level.name)
    json.key("findings")
    json.beginArray()
    for finding in findings {
      json.beginObject()
      json.member("id", finding.id)
      json.member("level", finding.level.name)
      json.member("message", finding.message)
      json.member("advice", finding.advice)
      json.endObject()
    }
    json.endArray()
    json.endObject()
  }
}

/// `tinygateway doctor`: looks at the device, the settings and the database, and changes nothing.
enum DoctorCommand {
  /// Prints the findings; the exit status: 0 all is well, 1 warnings, 2 errors.
  static func run(_ configuration: Configuration) -> Int32 {
    var facts = DoctorSurvey.facts(of: configuration)
    let path = configuration.path("db.db")
    facts.hasDatabase = File.exists(path)
    if facts.hasDatabase {
      do throws(StoreError) {
        let condition = try DatabaseCondition(ofFile: path)
        facts.hasDatabase = !condition.isEmpty
        // The key is made after the first accounts.
        if condition.isEmpty && File.exists(configuration.path(ChannelSecrets.fileName)) {
          facts.databaseProblem = "it is empty, and the accounts' key is there"
        }
        facts.journalMode = condition.journalMode
        facts.hasFirstPassword = condition.hasFirstPassword
        facts.upstreams = DoctorReach.upstreams(condition.channels)
      } catch {
        facts.isDatabaseInUse = error.kind == .busy
        if facts.isDatabaseInUse {
          DoctorSurvey.lookAtGateway(thatHas: path, &facts)
        } else {
          facts.databaseProblem = error.sentence
        }
      }
    }
    facts.port = DoctorSurvey.port(configuration)
    DoctorSurvey.complete(
      &facts, caFile: configuration.caFile, configuration.upstreamPrivate)
    let doctor = Doctor(facts)
    ProcessContext.write(doctor.text, to: 1)
    return Int32(doctor.level.rawValue)
  }
}
