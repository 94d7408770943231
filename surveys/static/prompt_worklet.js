// Hands over what the microphone hears, block by block.

class PromptRecorder extends AudioWorkletProcessor {
  process(inputs) {
    const channel = inputs[0][0];
    if (channel) this.port.postMessage(channel.slice());
    return true;
  }
}

registerProcessor("prompt-recorder", PromptRecorder);
