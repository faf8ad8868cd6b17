// SPDX-License-Identifier: MIT
import Platform

/// Heads of calls to AWS Bedrock: paths and signatures.
///
/// Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html,
/// read 2026-11.
enum BedrockCall {
  static func head(_ facts: CallFacts) throws(ChatProblem) -> CallHead {
    let path =
      facts.basePath + "/model/" + DialectText.segment(facts.model)
      + (facts.isStream ? "/converse-stream" : "/converse")
    // Without a bar it is a Bedrock API key, which signs nothing.
    guard facts.key.bytes.contains(UInt8(ascii: "|")) else {
      return CallHead(path: path, fields: CallHead.field("Authorization", "Bearer " + facts.key))
    }
    let key: AWSSignature.Key
    do throws(SigningError) {
      key = try AWSSignature.Key(facts.key, region: region(facts))
    } catch {
      throw error.problem
    }
    let signature = AWSSignature(
      AWSSignature.Request(
        method: "POST", host: facts.authority, path: path, contentType: "application/json",
        bodyDigest: facts.body.map { Digest.sha256($0.readable) } ?? Digest.sha256("")),
      key: key, at: facts.now)
    let fields = Buffer()
    signature.appendHeaders(to: fields)
    return CallHead(path: path, fields: fields.byteString)
  }

  /// The region that the channel names, or that stands in `bedrock-runtime.REGION.amazonaws.com`.
  private static func region(_ facts: CallFacts) -> ByteString {
    if let region = facts.config["region"], !region.isEmpty { return region }
    let labels = facts.authority.list(separatedBy: UInt8(ascii: "."))
    guard labels.count >= 4, labels[0].starts(with: "bedrock"), labels[2] == "amazonaws" else {
      return .empty
    }
    return labels[1]
  }
}
